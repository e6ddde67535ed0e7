/**
 * The text of an event as readers get it: the stored text with its hash in place of the `null`.
 *
 * Nothing else changes, so whoever puts `null` back has the bytes that were hashed. Texts of our own end in
 * `"hash":null}`; imported ones may hold the member elsewhere and are searched for it.
 */
import type { EventHash, StoredEvent } from './event.ts'

/** What `"<64 hex digits>"` is longer than `null`. */
const GROWTH = 62
const TAIL = Buffer.from('"hash":null}')
const NULL = Buffer.from('null')
const KEY = Buffer.from('hash')

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_OBJECT = 0x7b
const OPEN_ARRAY = 0x5b
const CLOSE_OBJECT = 0x7d
const CLOSE_ARRAY = 0x5d

/** The most bytes that `writeEventText` may write for an event. */
export function eventTextSize(event: StoredEvent): number {
  return event.json.length + GROWTH
}

/** Writes the text with its hash into `into` at `at`; returns where it ends. */
export function writeEventText(event: StoredEvent, into: Buffer, at: number): number {
  const { json, hash } = event
  const hole = findHashHole(json)
  into.set(json, at)
  if (hole === undefined) return at + json.length
  const end = writeHash(hash, into, at + hole)
  const rest = hole + NULL.length
  if (rest === json.length - 1) into[end] = CLOSE_OBJECT
  else into.set(json.subarray(rest), end)
  return at + json.length + GROWTH
}

/** Writes what stands in place of the `null`; returns where it ends. */
function writeHash(hash: EventHash, into: Buffer, at: number): number {
  into[at] = QUOTE
  const end = at + 1 + into.write(hash, at + 1, 'latin1')
  into[end] = QUOTE
  return end + 1
}

/** The text with its hash, alone. */
export function eventTextWithHash(event: StoredEvent): Buffer {
  const into = Buffer.allocUnsafe(eventTextSize(event))
  return into.subarray(0, writeEventText(event, into, 0))
}

/** Offset of the `null` of the outermost `hash` member, or `undefined` where there is no such member. */
export function findHashHole(json: Uint8Array): number | undefined {
  return endsInHash(json, 0, json.length) ? json.length - 5 : searchHashHole(json)
}

/** Whether the text from `start` to `end` ends in its member `hash`, as those of our own do. */
export function endsInHash(bytes: Uint8Array, start: number, end: number): boolean {
  const tail = end - TAIL.length
  return tail > start && bytes[tail - 1] === COMMA && startsAt(bytes, tail, TAIL)
}

function searchHashHole(json: Uint8Array): number | undefined {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        depth++
        break
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        depth--
        break
      case QUOTE: {
        const end = stringEnd(json, at)
        const hole = depth === 1 && isHashKey(json, at, end) ? valueAfterKey(json, end) : undefined
        if (hole !== undefined && startsAt(json, hole, NULL)) return hole
        at = end
        break
      }
    }
  }
  return undefined
}

/** Offset of the quote that closes the string that opens at `at`. */
function stringEnd(json: Uint8Array, at: number): number {
  let end = at + 1
  while (end < json.length && json[end] !== QUOTE) end += json[end] === BACKSLASH ? 2 : 1
  return end
}

function isHashKey(json: Uint8Array, open: number, close: number): boolean {
  return close - open === KEY.length + 1 && startsAt(json, open + 1, KEY)
}

/** Offset of the value where a colon follows the string that closes at `close`. */
function valueAfterKey(json: Uint8Array, close: number): number | undefined {
  const colon = skipSpace(json, close + 1)
  return json[colon] === COLON ? skipSpace(json, colon + 1) : undefined
}

function skipSpace(json: Uint8Array, at: number): number {
  let next = at
  while (json[next] === 0x20 || json[next] === 0x0a || json[next] === 0x0d || json[next] === 0x09) {
    next++
  }
  return next
}

function startsAt(json: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let index = 0; index < word.length; index++) {
    if (json[at + index] !== word[index]) return false
  }
  return true
}
