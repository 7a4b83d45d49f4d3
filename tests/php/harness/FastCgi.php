<?php

declare(strict_types=1);

/** Asks PHP-FPM for a page, as a web server does: the FastCGI protocol, version 1. */
final class FastCgi
{
    private const BEGIN_REQUEST = 1;
    private const END_REQUEST = 3;
    private const PARAMETERS = 4;
    private const INPUT = 5;
    private const OUTPUT = 6;
    private const RESPONDER = 1;

    public function __construct(private readonly string $socket)
    {
    }

    /** The body of the answer. */
    public function get(string $script, string $query, float $timeout = 60.0): string
    {
        $stream = @stream_socket_client("unix://$this->socket", $number, $message, $timeout);
        if ($stream === false) {
            throw new RuntimeException("$this->socket: $message");
        }
        stream_set_timeout($stream, (int) $timeout);
        $parameters = [
            'REQUEST_METHOD' => 'GET', 'SCRIPT_FILENAME' => $script, 'SCRIPT_NAME' => '/' . basename($script), 'QUERY_STRING' => $query,
            'REQUEST_URI' => '/' . basename($script) . "?$query", 'SERVER_PROTOCOL' => 'HTTP/1.1', 'GATEWAY_INTERFACE' => 'CGI/1.1',
        ];
        $pairs = '';
        foreach ($parameters as $name => $value) {
            $pairs .= chr(strlen($name)) . pack('N', strlen($value) | 0x80000000) . $name . $value;
        }
        fwrite($stream, self::record(self::BEGIN_REQUEST, pack('nCx5', self::RESPONDER, 0))
            . self::record(self::PARAMETERS, $pairs) . self::record(self::PARAMETERS, '') . self::record(self::INPUT, ''));
        $output = '';
        while (strlen($header = (string) stream_get_contents($stream, 8)) === 8) {
            ['type' => $type, 'length' => $length, 'padding' => $padding] = unpack('Cversion/Ctype/nid/nlength/Cpadding/Creserved', $header);
            $content = $length + $padding > 0 ? (string) stream_get_contents($stream, $length + $padding) : '';
            if ($type === self::OUTPUT) {
                $output .= substr($content, 0, $length);
            } elseif ($type === self::END_REQUEST) {
                return explode("\r\n\r\n", $output, 2)[1] ?? '';
            }
        }
        throw new RuntimeException('PHP-FPM hung up');
    }

    private static function record(int $type, string $content): string
    {
        return pack('CCnnCC', 1, $type, 1, strlen($content), 0, 0) . $content;
    }
}
