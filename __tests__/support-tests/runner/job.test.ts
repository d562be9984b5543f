/** A job's steps: their environment, what they pass on, and what remains at the end. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runningProcesses } from '../../support/runner/process-table.ts';
import { disposeJobs, jobUsing } from './fixture-action.ts';

afterEach(disposeJobs);

const printEnvironment = 'say(JSON.stringify(env))';

const environmentOf = (raw: string): Record<string, string> => JSON.parse(raw) as Record<string, string>;

describe('the environment of an action', () => {
  const inputs =
    '{ aws-region: { required: true }, two words: { default: 3 }, Mixed: { default: "${{ github.repository }}" } }';

  test('inputs are upper case, keep hyphens, turn spaces, and fall back to their defaults as strings', async () => {
    const job = jobUsing({ main: printEnvironment, inputs });
    const env = environmentOf((await job.uses({ with: { 'aws-region': 'eu-west-1\n' } })).raw);
    expect(env).toMatchObject({
      'INPUT_AWS-REGION': 'eu-west-1\n',
      INPUT_TWO_WORDS: '3',
      INPUT_MIXED: 'acme/app',
    });
  });

  test('a missing required input is empty, without an error', async () => {
    const { raw, outcome, annotations } = await jobUsing({ main: printEnvironment, inputs }).uses();
    expect([environmentOf(raw)['INPUT_AWS-REGION'], outcome, annotations]).toEqual(['', 'success', []]);
  });

  test('an unknown input is passed on with a warning', async () => {
    const job = jobUsing({ main: printEnvironment, inputs });
    const { raw, log } = await job.uses({ with: { region: 'x' } });
    expect(environmentOf(raw)['INPUT_REGION']).toBe('x');
    expect(log).toContain(
      "##[warning]Unexpected input(s) 'region', valid inputs are ['aws-region', 'two words', 'Mixed']\n",
    );
  });

  test("the runner's variables are set, and only PATH of the test's environment", async () => {
    process.env['AWS_PROFILE'] = 'leaks';
    try {
      const job = jobUsing(
        { main: printEnvironment },
        { env: { MINE: '1' }, githubContext: { run_id: '7' } },
      );
      const env = environmentOf((await job.uses({ env: { STEP: '2' } })).raw);
      expect(env).toMatchObject({
        ...{
          CI: 'true',
          GITHUB_ACTIONS: 'true',
          HOME: job.home,
          RUNNER_TEMP: job.temp,
          MINE: '1',
          STEP: '2',
        },
        ...{ GITHUB_WORKSPACE: job.workspace, GITHUB_REPOSITORY: 'acme/app', GITHUB_RUN_ID: '7' },
        ...{ PATH: process.env['PATH'], RUNNER_ENVIRONMENT: 'github-hosted' },
      });
      expect(env['RUNNER_TRACKING_ID']).toMatch(/^github_[0-9a-f-]{36}$/);
      expect(env).not.toHaveProperty('AWS_PROFILE');
      expect(env).not.toHaveProperty('RUNNER_DEBUG');
    } finally {
      delete process.env['AWS_PROFILE'];
    }
  });

  test('standard input is empty and the working directory is the workspace', async () => {
    const job = jobUsing({ main: "say(fs.readFileSync(0, 'utf8') + process.cwd())" });
    expect((await job.uses()).raw).toBe(`${job.workspace}\n`);
  });

  test('another Node can be configured', async () => {
    const job = jobUsing({ main: '' }, { nodePath: '/bin/echo' });
    expect((await job.uses()).raw).toMatch(/main\.js\n$/);
  });
});

describe('what steps pass on', () => {
  const main = `
    append('ENV', 'ONE=1\\nMANY<<_\\na\\n\\nb\\n_\\nGITHUB_REPOSITORY=evil/app\\n');
    append('PATH', '/first\\n/second\\n');
    append('OUTPUT', 'out=old\\nout=new\\n');
    append('STEP_SUMMARY', '# done\\n');`;

  test('variables, paths, outputs and the summary', async () => {
    const job = jobUsing({ main });
    const result = await job.uses();
    expect(result).toMatchObject({ outcome: 'success', outputs: { out: 'new' }, summary: '# done\n' });
    expect(result).toMatchObject({ env: { ONE: '1', MANY: 'a\n\nb' }, paths: ['/first', '/second'] });
    const { raw } = await job.run('echo "$ONE|$MANY|$GITHUB_REPOSITORY|$PATH"');
    expect(raw).toBe(`1|a\n\nb|acme/app|/second:/first:${process.env['PATH'] ?? ''}\n`);
  });

  test('a run step also exports, and its own environment is not passed on', async () => {
    const job = jobUsing({ main: printEnvironment });
    await job.run('echo "LATER=$SECRET_OF_STEP" >>"$GITHUB_ENV"', { env: { SECRET_OF_STEP: 'x' } });
    const env = environmentOf((await job.uses()).raw);
    expect([env['LATER'], env['SECRET_OF_STEP']]).toEqual(['x', undefined]);
  });

  test('the command files are new in each step and gone after it', async () => {
    const job = jobUsing({ main: 'say(env.GITHUB_ENV)' });
    const [first, second] = [(await job.uses()).raw.trim(), (await job.uses()).raw.trim()];
    expect(dirname(first)).toBe(join(job.temp, '_runner_file_commands'));
    expect(second).not.toBe(first);
    expect([existsSync(first), existsSync(second)]).toEqual([false, false]);
  });

  test('NODE_OPTIONS is refused, but the rest of the file counts', async () => {
    const { annotations, env, outcome } = await jobUsing({
      main: "append('ENV', 'NODE_OPTIONS=--inspect\\nB=2\\n')",
    }).uses();
    expect(annotations).toEqual([
      { level: 'error', message: "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command." },
    ]);
    expect([env, outcome]).toEqual([{ B: '2' }, 'success']);
  });

  test('a malformed command file fails the step', async () => {
    const { annotations, outcome } = await jobUsing({
      main: "append('OUTPUT', 'key<<END\\nvalue\\n')",
    }).uses();
    expect(outcome).toBe('failure');
    expect(annotations.map(({ message }) => message)).toEqual([
      "Unable to process file command 'output' successfully.",
      "Invalid value. Matching delimiter not found 'END'",
    ]);
  });

  test("a run step stops at the first failure with the runner's message", async () => {
    const { log, outcome, exitCode } = await jobUsing({ main: '' }).run('(exit 3)\necho never');
    expect([log, outcome, exitCode]).toEqual([
      '##[error]Process completed with exit code 3.\n',
      'failure',
      3,
    ]);
  });
});

describe('post steps', () => {
  test("run in reverse order, each with its own main's state and inputs", async () => {
    const job = jobUsing({
      inputs: '{ name: {} }',
      main: "append('STATE', 'n=old\\nn=' + env.INPUT_NAME + '\\nlower-Case=1\\n')",
      post: "say([env.STATE_n, env['STATE_lower-Case'], env.INPUT_NAME, env.EXPORTED].join())",
    });
    await job.uses({ with: { name: 'a' } });
    await job.uses({ with: { name: 'b' } });
    await job.run('echo EXPORTED=yes >>"$GITHUB_ENV"');
    const { posts, leftoverProcesses } = await job.finish();
    expect(posts.map(({ raw }) => raw)).toEqual(['b,1,b,yes\n', 'a,1,a,yes\n']);
    expect(leftoverProcesses).toEqual([]);
  });

  test('run after a main that failed, and after one that was killed', async () => {
    const job = jobUsing({
      main: "append('STATE', 'k=v\\n'); if (env.DIE) process.kill(process.pid, 'SIGKILL'); process.exitCode = 1;",
      post: 'say(env.STATE_k)',
    });
    expect(await job.uses()).toMatchObject({ outcome: 'failure', exitCode: 1 });
    expect(await job.uses({ env: { DIE: '1' } })).toMatchObject({ outcome: 'failure', exitCode: 137 });
    expect((await job.finish()).posts.map(({ raw }) => raw)).toEqual(['v\n', 'v\n']);
  });

  test('obey post-if', async () => {
    const job = jobUsing({ main: 'process.exitCode = 1', post: "say('post')", postIf: 'success()' });
    await job.uses();
    expect((await job.finish()).posts).toEqual([]);
  });
});

describe('the end of a step', () => {
  const stubborn =
    "process.on('SIGINT', () => say('INT')).on('SIGTERM', () => say('TERM')); say('up'); process.title = 'up'; setInterval(() => {}, 1000)";
  const soon = { interrupt: 300, terminate: 300 };
  /** When the title of the step's process is set. */
  const whenUp = async (pid: number): Promise<void> => {
    while (!runningProcesses().some((it) => it.pid === pid && it.command === 'up')) await sleep(10);
  };

  test('cancelling interrupts, then terminates, then kills', async () => {
    const job = jobUsing({ main: stubborn });
    const result = await job.uses({ cancelWhen: whenUp, patience: soon });
    expect(result).toMatchObject({ outcome: 'cancelled', signal: 'SIGKILL', raw: 'up\nINT\nTERM\n' });
    expect(result.log).toContain('##[error]The operation was canceled.');
  });

  test('a step that ends after the interrupt is cancelled, with any exit code', async () => {
    const main =
      "process.on('SIGINT', () => process.exit(0)); process.title = 'up'; setInterval(() => {}, 1000)";
    const result = await jobUsing({ main }).uses({ cancelWhen: whenUp });
    expect(result).toMatchObject({ outcome: 'cancelled', exitCode: 0 });
  });

  test('killing takes effect at once', async () => {
    const result = await jobUsing({ main: stubborn }).uses({ killWhen: whenUp });
    expect(result).toMatchObject({ outcome: 'failure', signal: 'SIGKILL', raw: 'up\n' });
  });

  test('a rejected moment fails the test and ends the step', async () => {
    const job = jobUsing({ main: stubborn });
    await expect(job.uses({ cancelWhen: () => Promise.reject(new Error('no server')) })).rejects.toThrow(
      'no server',
    );
    await sleep(50);
    expect(job.processes()).toEqual([]);
  });

  test('output that another process holds open is waited for with a limit, and reported', async () => {
    const job = jobUsing({
      main: "spawn('sleep', ['60'], { detached: true, stdio: 'inherit' }).unref(); say('done')",
    });
    expect(await job.uses({ patience: { output: 100 } })).toMatchObject({ outputHeld: true, raw: 'done\n' });
  });
});

describe('what remains', () => {
  const main = `
    spawn('sleep', ['61'], { detached: true, stdio: 'ignore' }).unref();
    spawn('tail', ['-f', env.GITHUB_EVENT_PATH], { detached: true, stdio: 'ignore', env: {} }).unref();`;

  const commands = (processes: readonly { readonly command: string }[]): string[] =>
    processes.map(({ command }) => command.split(' ')[0] ?? '').sort();

  test('processes are found by tracking id and by argument, reported, and not hidden by a clean-up', async () => {
    const job = jobUsing({ main });
    await job.uses();
    const { leftoverProcesses } = await job.finish();
    expect(commands(leftoverProcesses)).toEqual(['sleep', 'tail']);
    expect(commands(job.processes())).toEqual(['sleep', 'tail']);
  });

  test("the runner's clean-up ends them if requested", async () => {
    const job = jobUsing({ main });
    await job.uses();
    expect(commands((await job.finish({ orphanCleanup: true })).leftoverProcesses)).toEqual([
      'sleep',
      'tail',
    ]);
    await sleep(100);
    expect(job.processes()).toEqual([]);
  });

  test('files and sockets are listed with their modes', async () => {
    const job = jobUsing({
      main: `
        fs.writeFileSync(env.RUNNER_TEMP + '/f', '', { mode: 0o640 });
        fs.mkdirSync(env.HOME + '/.ssh', { mode: 0o700 });
        require('node:net').createServer().listen(env.RUNNER_TEMP + '/s', () => process.kill(process.pid, 'SIGKILL'));`,
    });
    expect(job.files()).toEqual([]);
    await job.uses();
    expect(job.files().map(({ path, kind, mode }) => [path, kind, kind === 'socket' ? 0 : mode])).toEqual([
      [join(job.temp, 'f'), 'file', 0o640],
      [join(job.temp, 's'), 'socket', 0],
      [join(job.home, '.ssh'), 'directory', 0o700],
    ]);
  });

  test('dispose ends what runs and removes every folder', async () => {
    const job = jobUsing({ main });
    await job.uses();
    job.dispose();
    await sleep(100);
    expect([existsSync(dirname(job.temp)), job.processes()]).toEqual([false, []]);
  });
});
