/** What the file system's own errors are called here. */
import { AppError, type ErrorCode } from '../../domain/app-error.ts'

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'storage-full',
  EDQUOT: 'storage-full',
  EFBIG: 'storage-full',
  EROFS: 'storage-read-only',
  EACCES: 'storage-read-only',
  EPERM: 'storage-read-only',
  // A log that could be opened for reading only.
  EBADF: 'storage-read-only',
}

const sentences: Readonly<Partial<Record<ErrorCode, string>>> = {
  'storage-full': 'There is no space left to store this',
  'storage-read-only': 'The data folder does not allow this',
}

/** The `AppError` for what a file-system call threw. */
export function diskError(error: unknown, action: string): AppError {
  if (error instanceof AppError) return error
  const osCode = errorCode(error)
  const code = codes[osCode] ?? 'storage-unavailable'
  const sentence = sentences[code] ?? 'The storage does not answer as it should'
  return new AppError(code, `${sentence} (${osCode} on ${action})`, { action, osCode }, error)
}

/** The operating system's code for what a call threw. */
export function errorCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : 'unknown error'
}
