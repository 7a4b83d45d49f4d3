<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tests;

use PHPUnit\Framework\TestCase;
use RocketVps\Restore\Answer\Approved;
use RocketVps\Restore\Answer\Begun;
use RocketVps\Restore\Answer\FinishedReport;
use RocketVps\Restore\Answer\FinishedValidation;
use RocketVps\Restore\Answer\JobStatus;
use RocketVps\Restore\Answer\PageOfConfigEntry;
use RocketVps\Restore\Answer\PageOfFileEntry;
use RocketVps\Restore\Answer\Report;
use RocketVps\Restore\Client;
use RocketVps\Restore\Enum\ErrorCode;
use RocketVps\Restore\Enum\JobState;
use RocketVps\Restore\Enum\Outcome;
use RocketVps\Restore\Enum\Part;
use RocketVps\Restore\Enum\Priority;
use RocketVps\Restore\Enum\Risk;
use RocketVps\Restore\Exception\BackupException;
use RocketVps\Restore\Exception\DatabaseException;
use RocketVps\Restore\Exception\OutcomeException;
use RocketVps\Restore\Exception\RequestException;
use RocketVps\Restore\Exception\RestoreException;
use RocketVps\Restore\Exception\ServiceException;
use RocketVps\Restore\Exception\StorageException;
use RocketVps\Restore\Exception\TransportException;
use RocketVps\Restore\ProcessTransport;
use RocketVps\Restore\Request\Components;
use RocketVps\Restore\Request\ConfigSettings;
use RocketVps\Restore\Request\DiffRequest;
use RocketVps\Restore\Request\DomainRequest;
use RocketVps\Restore\Request\Options;
use RocketVps\Restore\Request\RestoreRequest;

final class ClientTest extends TestCase
{
    private const JOB = '20251004_030000_0123456789ab';
    private const STATUS = [
        'job' => self::JOB, 'kind' => 'restore', 'domain' => 'shop.example', 'state' => 'staging', 'percent' => 10, 'phases' => [],
        'io' => ['total_mb_s' => 1, 'read_mb_s' => 0, 'write_mb_s' => 0.5], 'elapsed_s' => 1, 'remaining_s' => null,
        'started' => '2025-10-04T03:00:00+00:00', 'last_event' => 0, 'log' => null, 'events' => [], 'result' => null, 'error' => null,
    ];
    private const APPROVAL = [
        'id' => '0123456789abcdef', 'asked' => '2025-10-04T03:00:00+00:00', 'user' => 'www-data', 'uid' => 33, 'call' => 'restore_start',
        'domain' => 'shop.example', 'request' => ['domain' => 'shop.example'],
    ];
    private const REPORT = ['domain' => 'shop.example', 'source' => '/b', 'snapshot' => '/s'];

    public function testFieldsThatAreNullAreLeftOut(): void
    {
        $transport = new FakeTransport(FakeTransport::ok(['job' => self::JOB]));
        $request = new RestoreRequest(
            'shop.example',
            components: new Components(files: ['wp-content/**'], database: true),
            dryRun: false,
            options: new Options(priority: Priority::Normal, accept: [Risk::ChangeOver, 'later']),
        );
        self::assertInstanceOf(Begun::class, (new Client($transport))->restoreStart($request));
        self::assertSame([[
            'call' => 'restore_start',
            'request' => '{"domain":"shop.example","components":{"files":["wp-content/**"],"database":true},"dry_run":false,'
                . '"options":{"priority":"normal","accept":["change_over","later"]}}',
            'waits' => false,
        ]], $transport->asked);
    }

    public function testObjectsWithoutFieldsStayObjects(): void
    {
        $transport = new FakeTransport(FakeTransport::ok(['domains' => []]), FakeTransport::ok(['job' => self::JOB]));
        $client = new Client($transport);
        $client->listDomains();
        $client->validate(new RestoreRequest('shop.example', components: new Components(), config: new ConfigSettings([])));
        self::assertSame('{}', $transport->asked[0]['request']);
        self::assertSame('{"domain":"shop.example","components":{},"config":{"set":{}}}', $transport->asked[1]['request']);
    }

    public function testTheClientsConfigIsThatOfRequestsWithoutOne(): void
    {
        $answer = FakeTransport::ok(['domain' => 'shop.example', 'backups' => []]);
        $transport = new FakeTransport($answer, $answer);
        $client = new Client($transport, '/etc/restore.toml');
        $client->listBackups(new DomainRequest('shop.example'));
        $client->listBackups(new DomainRequest('shop.example', config: '/etc/other.toml'));
        self::assertSame('{"domain":"shop.example","config":"/etc/restore.toml"}', $transport->asked[0]['request']);
        self::assertSame('{"domain":"shop.example","config":"/etc/other.toml"}', $transport->asked[1]['request']);
    }

    public function testTheAnswerOfACallIsWhatItsFieldsSay(): void
    {
        $transport = new FakeTransport(
            FakeTransport::ok(['job' => self::JOB] + self::REPORT),
            FakeTransport::ok(['job' => self::JOB, 'domain' => 'shop.example', 'backup' => '/b', 'outcome' => 'pass', 'groups' => [], 'plan_token' => null]),
            FakeTransport::ok(['job' => self::JOB]),
        );
        $client = new Client($transport);
        $request = new RestoreRequest('shop.example', wait: true);
        $report = $client->restoreStart($request);
        self::assertInstanceOf(FinishedReport::class, $report);
        self::assertSame(self::JOB, $report->job);
        self::assertNull($report->durationSeconds);
        self::assertTrue($transport->asked[0]['waits']);
        $validation = $client->restoreStart($request);
        self::assertInstanceOf(FinishedValidation::class, $validation);
        self::assertSame(Outcome::Pass, $validation->outcome);
        self::assertInstanceOf(Begun::class, $client->restoreStart($request));
    }

    public function testAPageIsOfThePartThatItNames(): void
    {
        $page = ['offset' => 0, 'total' => 0, 'next' => null, 'entries' => [], 'job' => self::JOB];
        $transport = new FakeTransport(FakeTransport::ok($page + ['part' => 'files']), FakeTransport::ok($page + ['part' => 'config']));
        $client = new Client($transport);
        self::assertInstanceOf(PageOfFileEntry::class, $client->diffBackup(new DiffRequest(job: self::JOB, part: Part::Files)));
        self::assertInstanceOf(PageOfConfigEntry::class, $client->diffBackup(new DiffRequest(job: self::JOB, part: Part::Config)));
    }

    public function testAnErrorIsTheExceptionOfItsNumber(): void
    {
        $classes = [
            10 => RequestException::class, 19 => RequestException::class, 20 => BackupException::class, 34 => DatabaseException::class,
            40 => StorageException::class, 54 => ServiceException::class, 62 => OutcomeException::class, 99 => OutcomeException::class,
        ];
        foreach ($classes as $number => $class) {
            $exception = $this->failure(FakeTransport::error('busy', $number));
            self::assertInstanceOf($class, $exception);
            self::assertSame([$number, $number], [$exception->number, $exception->getCode()]);
            self::assertSame(['busy', 'What happened.', 'Do this.'], [$exception->name, $exception->getMessage(), $exception->hint]);
            self::assertSame(['job' => 'j'], $exception->context);
            self::assertTrue($exception->is(ErrorCode::Busy));
            self::assertFalse($exception->is(ErrorCode::Panic));
        }
        self::assertSame('of_a_later_engine', $this->failure(FakeTransport::error('of_a_later_engine', 55))->name);
    }

    public function testWhatIsNoAnswerIsATransportException(): void
    {
        $wrong = [
            'no JSON', '[]', 'null', '{"ok":true}', '{"schema":1,"ok":1}', '{"schema":1,"ok":true}', '{"schema":1,"ok":false}', '{"schema":1,"ok":true,"data":1}',
            '{"schema":2,"ok":true,"data":{"domain":"shop.example","backups":[]}}', FakeTransport::ok(['domain' => 'shop.example']),
            FakeTransport::ok(['domain' => 'shop.example', 'backups' => [['path' => 1]]]), '{"schema":1,"ok":false,"error":{"code":"busy"}}',
        ];
        foreach ($wrong as $answer) {
            $exception = $this->failure($answer);
            self::assertInstanceOf(TransportException::class, $exception, $answer);
            self::assertStringContainsString('the answer of list_backups cannot be read', $exception->getMessage());
        }
        $this->expectException(TransportException::class);
        (new Client(new FakeTransport(FakeTransport::ok(['colour' => 'red']))))->restoreStart(new RestoreRequest('shop.example'));
    }

    public function testItWaitsForAJobByPolling(): void
    {
        $event = ['seq' => 7, 'time' => '2025-10-04T03:00:00+00:00', 'level' => 'info', 'message' => 'Text.'];
        $transport = new FakeTransport(
            FakeTransport::ok(['last_event' => 3, 'events' => [$event]] + self::STATUS),
            FakeTransport::ok(['state' => 'done', 'percent' => 100, 'last_event' => 7, 'result' => self::REPORT] + self::STATUS),
        );
        $percents = [];
        $status = (new Client($transport))->wait(self::JOB, interval: 0.001, onStatus: static function (JobStatus $status) use (&$percents): void {
            $percents[] = $status->percent;
        });
        self::assertSame([10.0, 100.0], $percents);
        self::assertSame(JobState::Done, $status->state);
        self::assertInstanceOf(Report::class, $status->result);
        self::assertSame('{"job":"' . self::JOB . '","since":7}', $transport->asked[1]['request']);
    }

    public function testTheErrorOfAJobIsInItsStatus(): void
    {
        $error = ['code' => 'disk_full', 'number' => 40, 'message' => 'Full.', 'hint' => 'Make room.', 'context' => []];
        $transport = new FakeTransport(FakeTransport::ok(['state' => 'failed', 'error' => $error] + self::STATUS));
        $status = (new Client($transport))->wait(self::JOB);
        self::assertNotNull($status->error);
        $exception = RestoreException::of($status->error);
        self::assertInstanceOf(StorageException::class, $exception);
        self::assertTrue($exception->is(ErrorCode::DiskFull));
    }

    public function testAJobThatHasEndedWithoutAReportIsNotWaitedFor(): void
    {
        foreach ([JobState::Done, JobState::RolledBack, JobState::Failed, JobState::NeedsOperator] as $state) {
            $transport = new FakeTransport(FakeTransport::ok(['state' => $state->value] + self::STATUS));
            self::assertSame($state, (new Client($transport))->wait(self::JOB, timeout: 0)->state);
        }
    }

    public function testWaitingEndsAtItsTimeout(): void
    {
        $transport = new FakeTransport(FakeTransport::ok(self::STATUS));
        $this->expectException(TransportException::class);
        $this->expectExceptionMessage('has not ended within 0 s');
        (new Client($transport))->wait(self::JOB, timeout: 0);
    }

    public function testTheBrokerTellsWhoAskedForWhat(): void
    {
        $line = ['at' => '2025-10-04T03:00:00+00:00', 'user' => 'www-data', 'uid' => 33, 'pid' => 7, 'executable' => '/usr/sbin/php-fpm8.2', 'call' => 'list_backups', 'outcome' => 'ok'];
        $more = ['on_behalf' => 'mai', 'domain' => 'shop.example', 'job' => self::JOB, 'approved_by' => 'root', 'left_out' => 3];
        $transport = new FakeTransport(FakeTransport::ok(['calls' => [$line, $more + $line]]), FakeTransport::ok(['calls' => []]));
        // The broker takes no configuration for its own calls.
        $client = new Client($transport, '/etc/restore.toml');
        [$plain, $full] = $client->audit('shop.example');
        self::assertSame([], $client->audit());
        self::assertSame(['{"domain":"shop.example"}', '{}'], array_column($transport->asked, 'request'));
        self::assertSame(['audit', 'audit'], array_column($transport->asked, 'call'));
        self::assertSame(['www-data', 33, 7, '', null, null, null, 0], [$plain->user, $plain->uid, $plain->pid, $plain->onBehalf, $plain->domain, $plain->job, $plain->approvedBy, $plain->leftOut]);
        self::assertSame(['mai', 'shop.example', self::JOB, 'root', 3], [$full->onBehalf, $full->domain, $full->job, $full->approvedBy, $full->leftOut]);
    }

    public function testASecondPersonApproves(): void
    {
        $approved = ['approved' => ['by' => 'root', 'at' => '2025-10-04T03:01:00+00:00'], 'on_behalf' => 'mai'];
        $transport = new FakeTransport(
            FakeTransport::ok(['approvals' => [self::APPROVAL]]),
            FakeTransport::ok(['approvals' => [$approved + self::APPROVAL]]),
            FakeTransport::ok(['approvals' => []]),
        );
        $client = new Client($transport, '/etc/restore.toml');
        [$waiting] = $client->listApprovals();
        self::assertSame([null, 'restore_start', ['domain' => 'shop.example'], ''], [$waiting->approved, $waiting->call, $waiting->request, $waiting->onBehalf]);
        $done = $client->approve($waiting->id);
        self::assertInstanceOf(Approved::class, $done->approved);
        self::assertSame(['root', 'mai'], [$done->approved->by, $done->onBehalf]);
        self::assertSame(['call' => 'approve', 'request' => '{"approval":"0123456789abcdef"}', 'waits' => false], $transport->asked[1]);
        $this->expectException(TransportException::class);
        $client->approve($waiting->id);
    }

    public function testOnlyTheBrokerHasTheBrokersCalls(): void
    {
        $client = new Client(new ProcessTransport('/nonexistent/helper'));
        foreach ([static fn () => $client->audit(), static fn () => $client->listApprovals(), static fn () => $client->approve('0')] as $call) {
            try {
                $call();
                self::fail('it was asked');
            } catch (RequestException $exception) {
                self::assertTrue($exception->is(ErrorCode::Usage));
                self::assertStringContainsString('SocketTransport', $exception->hint);
            }
        }
    }

    public function testAnErrorNamesTheApprovalThatIsMissing(): void
    {
        self::assertSame('a', (new RequestException('approval_required', 9, 'What happened.', context: ['approval' => 'a']))->approval());
        self::assertNull((new RequestException('approval_required', 9, 'What happened.'))->approval());
        self::assertNull((new RequestException('forbidden', 18, 'What happened.', context: ['approval' => 'a']))->approval());
    }

    public function testACallOfALaterEngineHasNoTypes(): void
    {
        $transport = new FakeTransport(FakeTransport::ok(['colour' => 'red']));
        self::assertSame(['colour' => 'red'], (new Client($transport))->call('paint', ['wall' => 'north', 'wait' => true]));
        self::assertSame([['call' => 'paint', 'request' => '{"wall":"north","wait":true}', 'waits' => true]], $transport->asked);
    }

    private function failure(string $answer): RestoreException
    {
        try {
            (new Client(new FakeTransport($answer)))->listBackups(new DomainRequest('shop.example'));
        } catch (RestoreException $exception) {
            return $exception;
        }
        self::fail("taken: $answer");
    }
}
