#!/usr/bin/php-cgi
<?php
// An event log in one JSON lines file, as a CGI script: POST or PUT appends, GET /ID reads one event.
// Flock around the append, fsync before the answer; an index file holds one fixed-size row an event.

const ROW = 16;
$log = getenv('EVENTS_LOG');
$method = $_SERVER['REQUEST_METHOD'];
header('Content-Type: application/json');

if ($method === 'GET') {
    $id = (int) ltrim($_SERVER['PATH_INFO'] ?? '', '/');
    $index = @fopen("$log.index", 'rb');
    $row = '';
    if ($index) {
        fseek($index, $id * ROW);
        $row = (string) fread($index, ROW);
    }
    if (strlen($row) < ROW) {
        http_response_code(404);
        exit('{"error":"not found"}');
    }
    ['offset' => $offset, 'length' => $length] = unpack('Poffset/Plength', $row);
    $file = fopen($log, 'rb');
    fseek($file, $offset);
    exit(fread($file, $length));
}

$draft = json_decode(file_get_contents('php://input'), true);
if (!is_array($draft) || !is_string($draft['eventType'] ?? null)) {
    http_response_code(400);
    exit('{"error":"bad event"}');
}
$file = fopen($log, 'ab');
flock($file, LOCK_EX);
$index = fopen("$log.index", 'ab');
$offset = fstat($file)['size'];
$event = [
    'id' => intdiv(fstat($index)['size'], ROW),
    'eventId' => bin2hex(random_bytes(16)),
    'eventType' => $draft['eventType'],
    'stream' => $draft['stream'] ?? 'default',
    'body' => $draft['body'] ?? null,
    'createdAt' => gmdate('c'),
];
$line = json_encode($event, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE) . "\n";
fwrite($file, $line);
fflush($file);
fsync($file);
fwrite($index, pack('PP', $offset, strlen($line) - 1));
fflush($index);
flock($file, LOCK_UN);
echo $line;
