/** Work that may be left to a later time: what the disk does not allow now. */
import { AppError } from '../../domain/app-error.ts'

/**
 * Goes on after an error of the disk, or of an index that is no longer what it was.
 * @throws the error where it is another one, which is a mistake of ours
 */
export function passOver(error: unknown): void {
  if (!(error instanceof AppError)) throw error
}
