<?php

declare(strict_types=1);

namespace RocketVps\Panel;

use RocketVps\Restore\Answer\JobStatus;
use RocketVps\Restore\Exception\RestoreException;
use RocketVps\Restore\Exception\TransportException;

/** The page: finds out what is asked for, asks the engine, and answers. */
final class Panel
{
    /** What is looked at. */
    private const PAGES = [
        '' => Page\Domains::class,
        'backups' => Page\Backups::class,
        'preview' => Page\Preview::class,
        'tree' => Page\Tree::class,
        'select' => Page\Select::class,
        'check' => Page\Check::class,
        'confirm' => Page\Confirm::class,
        'changes' => Page\Changes::class,
        'job' => Page\Job::class,
        'status' => Page\Status::class,
        'events' => Page\Events::class,
        'snapshots' => Page\Snapshots::class,
        'rollback' => Page\Rollback::class,
        'delete' => Page\Delete::class,
        'jobs' => Page\Jobs::class,
        'logs' => Page\Logs::class,
        'log' => Page\Log::class,
        'drills' => Page\Drills::class,
        'audit' => Page\Audit::class,
        'approval' => Page\Approval::class,
    ];

    /** What a form starts, and changes nothing of the site: its token is the session's. */
    private const STEPS = [
        'select' => Page\Selected::class,
        'check' => Page\StartCheck::class,
        'changes' => Page\StartComparison::class,
        'verify' => Page\StartVerification::class,
    ];

    /** What a form starts once: its token is used up. */
    private const DEEDS = [
        'restore' => Page\StartRestore::class,
        'rehearse' => Page\StartRehearsal::class,
        'cancel' => Page\Cancel::class,
        'rollback' => Page\StartRollback::class,
        'delete' => Page\StartDeletion::class,
        'snapshot' => Page\StartSnapshot::class,
        'recover' => Page\StartRecovery::class,
        'again' => Page\SendAgain::class,
    ];

    public readonly Links $links;
    public readonly Session $session;
    public readonly Tokens $tokens;
    public readonly Words $words;
    public readonly View $view;
    public readonly Engine $engine;

    /** Answers the request of this process; all that a host panel calls. */
    public static function serve(Settings $settings): void
    {
        self::answer($settings, Request::ofPhp())->send();
    }

    public static function answer(Settings $settings, Request $request): Response
    {
        $links = new Links($settings, $request);
        if ($links->page() === null) {
            // A session that began here would take the place of ours.
            return new Response('', 404);
        }
        if ($links->page() === 'asset') {
            return (new Page\Asset())->of($request->query('name'));
        }
        if ($settings->user === '') {
            $view = new View($settings, $request, $links, new Words($settings->language ?? 'en'), null);
            return $view->page('error', $view->words->say('panel_nobody'), ['message' => $view->words->say('panel_nobody_about')], 403);
        }
        $panel = new self($settings, $request, $links);
        try {
            return $panel->route();
        } catch (Refusal $refusal) {
            return $panel->refuse($refusal);
        } catch (RestoreException $exception) {
            return $panel->report($exception);
        } catch (\Throwable $throwable) {
            // With all the headers, and without a word of the program.
            error_log((string) $throwable);
            return $panel->view->page('error', $panel->words->say('panel_refused'), ['message' => $panel->words->say('code_internal')], 500);
        }
    }

    private function __construct(public readonly Settings $settings, public readonly Request $request, Links $links)
    {
        $this->links = $links;
        $this->session = Session::open($settings, $request, $links);
        $this->tokens = new Tokens($this->session);
        $this->words = Words::choose($settings, $request, $this->session);
        $this->view = new View($settings, $request, $links, $this->words, $this->tokens);
        $this->engine = new Engine($settings);
    }

    /**
     * A page that shows a job while it works.
     *
     * @param array<string, mixed> $with
     */
    public function progress(JobStatus $status, array $with = []): Response
    {
        $title = $this->words->has('title_progress_' . Text::word($status->kind))
            ? $this->words->heading('title_progress_' . Text::word($status->kind))
            : $this->words->heading('title_job');
        return $this->view->page('progress', $title, ['status' => $status, 'domain' => $status->domain, 'tab' => 'jobs', 'refresh' => 2, 'again' => $this->engine->watch->again($status->job)] + $with);
    }

    private function route(): Response
    {
        $page = (string) $this->links->page();
        if (!$this->request->isPost()) {
            $class = self::PAGES[$page] ?? throw Refusal::notFound();
            return (new $class())->answer($this);
        }
        if ($this->request->isForeign()) {
            throw new Refusal(403, 'panel_token_wrong');
        }
        $token = $this->request->form('token');
        if (isset(self::DEEDS[$page])) {
            if (!$this->tokens->use($token, $page)) {
                throw new Refusal(403, 'panel_token_used');
            }
            $class = self::DEEDS[$page];
        } else {
            $class = self::STEPS[$page] ?? throw Refusal::notFound();
            if (!$this->tokens->isShared($token)) {
                throw new Refusal(403, 'panel_token_wrong');
            }
        }
        return (new $class())->answer($this);
    }

    /** @return array<string, string> the domain of the address, where it is one of this user's */
    private function place(): array
    {
        $domain = $this->request->query('domain') ?: $this->request->form('domain');
        return $domain !== '' && $this->settings->allows($domain) ? ['domain' => $domain] : [];
    }

    private function refuse(Refusal $refusal): Response
    {
        return $this->view->page('error', $this->words->say('panel_refused'), ['message' => $this->words->say($refusal->word)] + $this->place(), $refusal->status);
    }

    /** An error of the engine, with what to do about it. */
    private function report(RestoreException $exception): Response
    {
        $status = match ($exception->name) {
            'forbidden' => 403,
            'unknown_domain', 'job_not_found', 'backup_not_found', 'snapshot_not_found' => 404,
            'busy', 'plan_stale', 'backup_changed' => 409,
            'internal', 'panic' => 500,
            TransportException::NAME => 503,
            default => 422,
        };
        $key = match ($exception->name) {
            'forbidden' => 'panel_forbidden',
            TransportException::NAME => 'panel_no_answer',
            default => "code_$exception->name",
        };
        return $this->view->page('error', $this->words->say('panel_refused'), [
            'message' => $this->words->has($key) ? $this->words->say($key) : $exception->name,
            'exception' => $exception,
        ] + $this->place(), $status);
    }
}
