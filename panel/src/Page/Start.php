<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Restore\Exception\RestoreException;
use RocketVps\Restore\Request\Request;

/** Starts a job that changes something, or keeps the request until somebody has approved it. */
final class Start
{
    private const MOST = 20;

    public static function deed(Panel $panel, string $call, Request $request, string $domain): Response
    {
        return self::send($panel, $call, (string) json_encode($request, JSON_THROW_ON_ERROR), $domain);
    }

    /**
     * @param string $request as JSON: what was approved has to come again word for word
     * @param string $id      name of the approval that it waited for; empty: it is sent first
     */
    public static function send(Panel $panel, string $call, string $request, string $domain, string $id = ''): Response
    {
        $panel->engine->require($domain);
        try {
            $data = $panel->engine->client->call($call, (array) json_decode($request, false, 64, JSON_THROW_ON_ERROR));
        } catch (RestoreException $exception) {
            if ($exception->name !== 'approval_required') {
                throw $exception;
            }
            $name = (string) ($exception->context['approval'] ?? bin2hex(random_bytes(8)));
            $panel->session->put('approvals', $name, [
                'call' => $call,
                'request' => $request,
                'domain' => $domain,
                'hint' => $exception->hint,
            ], self::MOST);
            return Response::to($panel->links->to('approval', ['id' => $name, 'note' => $id === '' ? null : 'waiting']));
        }
        $panel->session->take('approvals', $id);
        return Response::to($panel->links->to('job', ['job' => (string) ($data['job'] ?? '')]));
    }
}
