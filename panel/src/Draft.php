<?php

declare(strict_types=1);

namespace RocketVps\Panel;

use RocketVps\Restore\Answer\BackupInfo;
use RocketVps\Restore\Answer\Preview;
use RocketVps\Restore\Enum\Risk;
use RocketVps\Restore\Request\Components;
use RocketVps\Restore\Request\DiffRequest;
use RocketVps\Restore\Request\Options;
use RocketVps\Restore\Request\RestoreRequest;

/** A restore that is being put together: a backup, what of it is taken, and how. It lives in the session. */
final class Draft
{
    public const PARTS = ['files', 'database', 'config'];

    private const MOST = 20;

    /** @var array<string, bool> the parts that the backup holds */
    public array $has = [];

    /** @var array<string, string> `all`, `parts` or `none` of each part */
    public array $take = [];

    /** @var array<string, array<string, true>> paths, tables and items that are taken where it is `parts` */
    public array $picked = ['files' => [], 'database' => [], 'config' => []];

    public bool $exact = false;
    public bool $orphans = false;

    /** @var list<string> findings that are accepted */
    public array $accept = [];

    /** The jobs that validated and compared it as it is now. */
    public string $check = '';
    public string $comparison = '';

    private function __construct(
        public readonly string $id,
        public readonly string $domain,
        public readonly string $backup,
        public readonly string $date,
    ) {
    }

    public static function begin(BackupInfo $backup, string $domain, Preview $preview): self
    {
        $draft = new self(bin2hex(random_bytes(8)), $domain, $backup->path, $backup->date);
        $draft->has = ['files' => $preview->files->count + $preview->files->folders > 0, 'database' => $preview->database !== null, 'config' => $preview->config !== []];
        foreach ($draft->has as $part => $is) {
            $draft->take[$part] = $is ? 'all' : 'none';
        }
        return $draft;
    }

    public static function of(Session $session, Engine $engine, string $id): self
    {
        $fields = ((array) $session->get('drafts'))[$id] ?? null;
        if (!is_array($fields)) {
            throw new Refusal(404, 'panel_draft_gone');
        }
        $draft = new self($id, $fields['domain'], $fields['backup'], $fields['date']);
        foreach (['has', 'take', 'picked', 'exact', 'orphans', 'accept', 'check', 'comparison'] as $name) {
            $draft->$name = $fields[$name];
        }
        // The host panel may have taken the domain away since.
        $engine->require($draft->domain);
        return $draft;
    }

    public function save(Session $session): void
    {
        $session->put('drafts', $this->id, get_object_vars($this), self::MOST);
    }

    /** Whether everything that the backup holds is taken. */
    public function isWhole(): bool
    {
        foreach ($this->has as $part => $is) {
            if ($is && $this->take[$part] !== 'all') {
                return false;
            }
        }
        return true;
    }

    public function isEmpty(): bool
    {
        foreach (self::PARTS as $part) {
            if ($this->take[$part] === 'all' || ($this->take[$part] === 'parts' && $this->picked[$part] !== [])) {
                return false;
            }
        }
        return true;
    }

    /** The folder that is taken and holds the path, or null. */
    public function takenWith(string $path): ?string
    {
        for ($at = strrpos(rtrim($path, '/'), '/'); $at !== false; $at = strrpos(substr($path, 0, $at), '/')) {
            $folder = substr($path, 0, $at + 1);
            if (isset($this->picked['files'][$folder])) {
                return $folder;
            }
        }
        return null;
    }

    /** Takes over what the boxes of a page say; those of other pages stay as they are. */
    public function pick(string $part, array $shown, array $ticked): void
    {
        foreach ($shown as $name) {
            unset($this->picked[$part][$name]);
        }
        foreach (array_intersect($ticked, $shown) as $name) {
            $this->picked[$part][$name] = true;
        }
        if ($part === 'files') {
            // A folder takes all below it.
            foreach (array_keys($this->picked['files']) as $path) {
                if ($this->takenWith((string) $path) !== null) {
                    unset($this->picked['files'][$path]);
                }
            }
        }
    }

    /** Stands for all that is confirmed: another selection, another way or another check has another one. */
    public function seal(): string
    {
        return hash('sha256', json_encode([$this->restoreRequest(), $this->check], JSON_THROW_ON_ERROR));
    }

    /** The parts that take part, as keys of an estimate: `files+database`. */
    public function estimated(): string
    {
        return implode('+', array_filter(self::PARTS, fn (string $part): bool => $this->take[$part] === 'all'
            || ($this->take[$part] === 'parts' && $this->picked[$part] !== [])));
    }

    public function restoreRequest(?string $planToken = null): RestoreRequest
    {
        return new RestoreRequest($this->domain, $this->backup, components: $this->components(), planToken: $planToken, options: $this->options());
    }

    public function diffRequest(): DiffRequest
    {
        return new DiffRequest($this->domain, $this->backup, components: $this->components(), options: $this->options());
    }

    /** Nothing is named where everything is taken: then the engine refuses a backup that lacks what the site has. */
    private function components(): ?Components
    {
        if ($this->isWhole()) {
            return null;
        }
        $parts = [];
        foreach (self::PARTS as $part) {
            $names = array_map(strval(...), array_keys($this->picked[$part]));
            $parts[] = match (true) {
                $this->take[$part] === 'all' => true,
                $this->take[$part] === 'parts' && $names !== [] => $names,
                default => null,
            };
        }
        return new Components(...$parts);
    }

    private function options(): Options
    {
        return new Options(
            exact: $this->exact ? true : null,
            allowOrphans: $this->orphans ? true : null,
            accept: $this->accept === [] ? null : array_map(static fn (string $name): Risk|string => Risk::tryFrom($name) ?? $name, $this->accept),
        );
    }
}
