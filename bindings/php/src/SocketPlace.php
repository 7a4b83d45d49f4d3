<?php

declare(strict_types=1);

namespace RocketVps\Restore;

use RocketVps\Restore\Exception\TransportException;

/**
 * Where a socket lies, and who could have put it there.
 *
 * @internal
 */
final class SocketPlace
{
    private const WRITABLE_BY_OTHERS = 0o022;

    /**
     * Refuses a socket that anybody but its owner or root could have put there or exchanged. The sticky bit of a folder
     * such as /tmp lets everybody put a socket of that name there first.
     *
     * @param int $owner the user whose socket it has to be
     */
    public static function check(string $socket, int $owner): void
    {
        clearstatcache(true);
        $real = @realpath($socket);
        $status = @lstat($socket);
        if ($real === false || $status === false) {
            throw TransportException::because("nobody can say whose $socket is", 'Add it to open_basedir.');
        }
        if ($real !== $socket) {
            throw TransportException::because("$socket is over a link, or not absolute", "Name the socket itself: $real.");
        }
        if ($status['uid'] !== $owner) {
            throw TransportException::because("$socket belongs to user $status[uid], and not to the broker's", 'Ask the administrator who made it.');
        }
        do {
            $folder = dirname($folder ?? $socket);
            self::checkFolder($folder, $owner);
        } while ($folder !== '/');
    }

    private static function checkFolder(string $folder, int $owner): void
    {
        $status = @lstat($folder);
        if ($status === false) {
            // PHP tells pages nothing of folders outside of open_basedir, such as / itself. The socket has been looked at.
            if ((string) ini_get('open_basedir') !== '') {
                return;
            }
            throw TransportException::because("nobody can say whose $folder is", 'Ask the administrator.');
        }
        if (!in_array($status['uid'], [0, $owner], true) || ($status['mode'] & self::WRITABLE_BY_OTHERS) !== 0) {
            throw TransportException::because(
                "others than the broker may write to $folder, where the socket lies",
                'Have the broker listen in a folder of root\'s alone, such as /run (`paths.broker`).',
            );
        }
    }
}
