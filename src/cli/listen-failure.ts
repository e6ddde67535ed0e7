/** Why a server of the program does not listen, in words. */
import { AppError } from '../domain/app-error.ts'

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use by another program',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'ports below 1024 are for root',
  ENOTFOUND: 'no such name is known',
}

/** For the `catch` of starting to listen. */
export function listenFailure(host: string, port: number): (cause: unknown) => never {
  return (cause) => {
    const { code = '', message } = cause as NodeJS.ErrnoException
    const reason = REASONS[code] ?? message
    throw new AppError(
      'cannot-listen',
      `Cannot listen on port ${port} of ${host}: ${reason}`,
      { host, port },
      cause,
    )
  }
}
