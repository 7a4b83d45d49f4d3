<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tests;

use PHPUnit\Framework\TestCase;
use RocketVps\Restore\Answer\Begun;
use RocketVps\Restore\Answer\Fields;
use RocketVps\Restore\Answer\Io;
use RocketVps\Restore\Answer\Other;
use RocketVps\Restore\Enum\JobState;

final class FieldsTest extends TestCase
{
    public function testAWordOfALaterEngineStaysAsItIs(): void
    {
        $fields = new Fields(['state' => 'done', 'later' => 'hovering', 'both' => ['done', 'hovering']]);
        self::assertSame(JobState::Done, $fields->word('state', JobState::class));
        self::assertSame('hovering', $fields->word('later', JobState::class));
        self::assertSame([JobState::Done, 'hovering'], $fields->words('both', JobState::class));
    }

    public function testAnObjectOfALaterEngineKeepsItsFields(): void
    {
        $fields = new Fields(['known' => ['job' => 'j', 'more' => 1], 'later' => ['colour' => 'red']]);
        $known = $fields->oneOf('known', [Begun::class]);
        self::assertInstanceOf(Begun::class, $known);
        self::assertSame('j', $known->job);
        $later = $fields->oneOf('later', [Begun::class]);
        self::assertInstanceOf(Other::class, $later);
        self::assertSame(['colour' => 'red'], $later->fields);
    }

    public function testAPathThatIsNoUtf8ComesAsItsBytes(): void
    {
        $fields = new Fields(['text' => 'a/b', 'bytes' => [97, 47, 255], 'wrong' => [256], 'both' => ['a', [255]]]);
        self::assertSame('a/b', $fields->path('text'));
        self::assertSame("a/\xff", $fields->path('bytes'));
        self::assertSame(['a', "\xff"], $fields->paths('both'));
        $this->refuses('wrong is no path', static fn () => $fields->path('wrong'));
    }

    public function testAWrongTypeIsNamedByItsPlace(): void
    {
        $fields = new Fields(['a' => [['b' => '1']], 'n' => 1, 'o' => ['write_mb_s' => 'x']], 'data');
        self::assertSame(1.0, $fields->number('n'));
        $this->refuses('data.n is no text', static fn () => $fields->text('n'));
        $this->refuses('data.n is no boolean', static fn () => $fields->flag('n'));
        $this->refuses('data.n is no object', static fn () => $fields->map('n'));
        $this->refuses('data.n is no list', static fn () => $fields->texts('n'));
        $this->refuses('data.a[0] is no text', static fn () => $fields->texts('a'));
        $this->refuses('data.missing is missing', static fn () => $fields->integer('missing'));
        try {
            $fields->object('o', Io::class);
            self::fail('it was taken');
        } catch (\UnexpectedValueException $exception) {
            self::assertStringStartsWith('data.o.', $exception->getMessage());
        }
    }

    private function refuses(string $message, \Closure $read): void
    {
        try {
            $read();
            self::fail("taken, where $message");
        } catch (\UnexpectedValueException $exception) {
            self::assertSame($message, $exception->getMessage());
        }
    }
}
