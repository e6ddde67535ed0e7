/**
 * Counts of wrong passwords in one file of fixed size, shared by all processes without a lock: two that
 * write the same slot at once lose a count, which costs an attacker's patience and nobody's data. The file
 * is never synced, and may be deleted at any time.
 *
 * 4096 slots of 32 bytes, the first half for networks, the second for accounts:
 *
 *     0  16  first half of the key's hash      16  2  failures
 *    18   6  last failure, ms                  24  6  last success, ms      30  2  zero
 */
import { AppError } from '../../domain/app-error.ts'
import type { AttemptKey, Attempts } from '../../domain/throttle.ts'
import type { Disk } from './disk.ts'

const SLOTS_OF_A_KIND = 2048
const SLOT_BYTES = 32
const TAG_BYTES = 16
const FILE_BYTES = 2 * SLOTS_OF_A_KIND * SLOT_BYTES

/** An `AttemptCounter` that has nothing to wait for. */
export type AttemptFile = {
  read(key: AttemptKey): Attempts | undefined
  write(key: AttemptKey, attempts: Attempts): void
}

/** @param path of the file; made when the first failure is counted */
export function createFileAttempts(disk: Disk, path: string): AttemptFile {
  return {
    read: (key) => orNothing(() => readSlot(disk, path, key)),
    write: (key, attempts) => orNothing(() => writeSlot(disk, path, key, attempts)),
  }
}

/** Signing in must work on a disk that is full or read-only. */
function orNothing<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}

function readSlot(disk: Disk, path: string, key: AttemptKey): Attempts | undefined {
  const fd = disk.openRead(path)
  if (fd === undefined) return undefined
  const slot = Buffer.alloc(SLOT_BYTES)
  try {
    disk.readAt(fd, slot, placeOf(key))
  } finally {
    disk.close(fd)
  }
  if (!slot.subarray(0, TAG_BYTES).equals(tagOf(key))) return undefined
  return {
    failures: slot.readUInt16BE(16),
    lastFailureMs: slot.readUIntBE(18, 6),
    lastSuccessMs: slot.readUIntBE(24, 6),
  }
}

function writeSlot(disk: Disk, path: string, key: AttemptKey, attempts: Attempts): void {
  const slot = Buffer.alloc(SLOT_BYTES)
  tagOf(key).copy(slot)
  slot.writeUInt16BE(Math.min(attempts.failures, 0xffff), 16)
  slot.writeUIntBE(attempts.lastFailureMs, 18, 6)
  slot.writeUIntBE(attempts.lastSuccessMs, 24, 6)
  const fd = disk.openUpdate(path)
  try {
    // All of its space at once: later a full disk must not end the counting.
    const size = disk.size(fd)
    if (size < FILE_BYTES) disk.writeAt(fd, Buffer.alloc(FILE_BYTES - size), size)
    disk.writeAt(fd, slot, placeOf(key))
  } finally {
    disk.close(fd)
  }
}

function tagOf({ hash }: AttemptKey): Buffer {
  return Buffer.from(hash.slice(0, 2 * TAG_BYTES), 'hex')
}

function placeOf({ kind, hash }: AttemptKey): number {
  const slot = Number.parseInt(hash.slice(-8), 16) % SLOTS_OF_A_KIND
  return (kind === 'network' ? slot : SLOTS_OF_A_KIND + slot) * SLOT_BYTES
}
