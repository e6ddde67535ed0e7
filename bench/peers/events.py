#!/usr/bin/python3 -IS
"""An event log in one JSON lines file, as a CGI script: POST or PUT appends, GET /ID reads one event.

Flock around the append, fsync before the answer; an index file holds one fixed-size row an event.
"""
import fcntl
import json
import os
import struct
import sys
import time

ROW = struct.Struct("<QQ")
LOG = os.environ["EVENTS_LOG"]


def answer(status, text):
    sys.stdout.write(f"Status: {status}\r\nContent-Type: application/json\r\n\r\n{text}")


def read(number):
    try:
        with open(LOG + ".index", "rb") as index:
            index.seek(number * ROW.size)
            offset, length = ROW.unpack(index.read(ROW.size))
    except (FileNotFoundError, struct.error):
        return answer("404 Not Found", '{"error":"not found"}')
    with open(LOG, "rb") as log:
        log.seek(offset)
        return answer("200 OK", log.read(length).decode())


def append(text):
    try:
        draft = json.loads(text)
        event_type = draft["eventType"]
    except (ValueError, KeyError, TypeError):
        return answer("400 Bad Request", '{"error":"bad event"}')
    with open(LOG, "ab") as log, open(LOG + ".index", "ab") as index:
        fcntl.flock(log, fcntl.LOCK_EX)
        offset = os.fstat(log.fileno()).st_size
        event = {
            "id": os.fstat(index.fileno()).st_size // ROW.size,
            "eventId": os.urandom(16).hex(),
            "eventType": event_type,
            "stream": draft.get("stream", "default"),
            "body": draft.get("body"),
            "createdAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        log.write(line)
        log.flush()
        os.fsync(log.fileno())
        index.write(ROW.pack(offset, len(line) - 1))
        index.flush()
        fcntl.flock(log, fcntl.LOCK_UN)
    return answer("200 OK", line.decode())


if os.environ["REQUEST_METHOD"] == "GET":
    read(int(os.environ.get("PATH_INFO", "").strip("/") or -1))
else:
    append(sys.stdin.buffer.read(int(os.environ.get("CONTENT_LENGTH") or 0)))
