<?php

declare(strict_types=1);

namespace RocketVps\Panel;

/** A page, a fragment of one, or what a form starts. */
interface Page
{
    public function answer(Panel $panel): Response;
}
