/** What is said of an index whose files cannot be right; the log itself may be whole. */
import { AppError } from '../../domain/app-error.ts'

/** @param problem what is wrong, behind `The index` */
export function damagedIndex(problem: string): AppError {
  return new AppError('index-damaged', `The index ${problem}; "apie reindex" builds it anew`)
}
