<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Outcome;

/** How the staged site was asked for pages before it was live. */
final class Rehearsal implements Answer
{
    /**
     * `pass`: every page that was asked for came. `not_checked`: it was not rehearsed, or no page proved anything.
     * `fail`: the site does not work, and the restore was stopped.
     */
    public readonly Outcome|string $outcome;

    /** The sentence a user reads: what was seen, or why it was not rehearsed. */
    public readonly string $message;

    /**
     * A check for each page (`front_page`, `post` or `page`, `product`, `probe`, `web_server`) and `static_file`, with
     * `path`, `status` and `millis`, and `new_words` where it shows words that the live site's tables have not, with
     * all others of them in `more_words` and a new price in `price`; a post's with `before`, what the live tables have
     * in its place: `same`, `other` or `unknown`. Empty where it was not rehearsed.
     *
     * @var list<Check>
     */
    public readonly array $pages;

    /** Milliseconds that it took, mostly beside the comparison of the staged state with the backup. */
    public readonly int $millis;

    public function __construct(Fields $fields)
    {
        $this->outcome = $fields->word('outcome', Outcome::class);
        $this->message = $fields->text('message');
        $this->pages = $fields->objects('pages', Check::class);
        $this->millis = $fields->integer('millis');
    }
}
