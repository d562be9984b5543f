/** A step's output: what users see, and what the runner executes. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { StepResult } from '../../support/runner/job.ts';
import { parseKeyValues } from '../../support/runner/file-commands.ts';
import { parseCommand } from '../../support/runner/workflow-commands.ts';
import { disposeJobs, jobUsing } from './fixture-action.ts';

afterEach(disposeJobs);

const output = (lines: readonly string[], debug = false): Promise<StepResult> =>
  jobUsing({ main: `for (const line of ${JSON.stringify(lines)}) say(line);` }, { debug }).uses();

describe('masks', () => {
  test('a masked value and each of its lines become stars from then on, in later steps too', async () => {
    const job = jobUsing({
      main: "say('hunter2'); say('::add-mask::hunter2%0Aline-two'); say('a hunter2 b line-two');",
    });
    const first = await job.uses();
    expect(first.log).toBe('hunter2\na *** b ***\n');
    expect(first.raw).toContain('a hunter2 b line-two');
    expect(first.masks).toEqual(['hunter2\nline-two', 'hunter2', 'line-two']);
    expect((await job.run('echo line-two')).log).toBe('***\n');
  });

  test('a secret that contains another one is masked completely', async () => {
    expect((await output(['::add-mask::abc', '::add-mask::abcdef', 'abcdef'])).log).toBe('***\n');
  });

  test('the workflow’s secrets are masked from the start', async () => {
    const job = jobUsing({ main: "say('s3cret')" }, { secrets: ['s3cret'] });
    expect((await job.uses()).log).toBe('***\n');
  });

  test('an empty mask is a warning', async () => {
    expect((await output(['::add-mask::'])).log).toBe(
      "##[warning]Can't add secret mask for empty string in ##[add-mask] command.\n",
    );
  });
});

describe('messages', () => {
  test('annotations carry level, title and decoded message, on either stream, and fail nothing', async () => {
    const job = jobUsing({
      main: "say('::warning title=A%3A b%2C c::50%25%0Asure'); fs.writeSync(2, '::error::bad\\n'); say('::notice file=x,line=3::n')",
    });
    const { annotations, outcome } = await job.uses();
    expect(outcome).toBe('success');
    expect(annotations).toHaveLength(3);
    expect(annotations).toEqual(
      expect.arrayContaining([
        { level: 'warning', title: 'A: b, c', message: '50%\nsure' },
        { level: 'error', message: 'bad' },
        { level: 'notice', message: 'n', file: 'x', line: '3' },
      ]),
    );
  });

  test('debug messages are shown only with debugging', async () => {
    expect((await output(['::debug::d', 'x'])).log).toBe('x\n');
    expect((await output(['::debug::d', 'x'], true)).log).toBe('##[debug]d\nx\n');
  });

  test('groups are marked', async () => {
    expect((await output(['::group::keys', 'x', '::endgroup::'])).log).toBe(
      '##[group]keys\nx\n##[endgroup]\n',
    );
  });
});

describe('commands', () => {
  test('are text between stop-commands and its token', async () => {
    const { log, annotations } = await output([
      '::stop-commands::t0ken',
      '::error::no',
      '::t0ken::',
      '::error::yes',
    ]);
    expect(annotations).toEqual([{ level: 'error', message: 'yes' }]);
    expect(log).toBe('::stop-commands::t0ken\n::error::no\n::t0ken::\n##[error]yes\n');
  });

  test.each(['set-env name=A::1', 'add-path::/bin'])('%s is disabled and fails the step', async (command) => {
    const { annotations, outcome } = await output([`::${command}`]);
    expect(outcome).toBe('failure');
    expect(annotations.at(-1)?.message).toContain('command is disabled');
  });

  test('save-state and set-output still work, with a warning', async () => {
    const { state, outputs, annotations } = await output([
      '::save-state name=a::1',
      '::set-output name=b::2',
    ]);
    expect([state, outputs]).toEqual([{ a: '1' }, { b: '2' }]);
    expect(annotations.map(({ level }) => level)).toEqual(['warning', 'warning']);
  });

  test.each(['::unknown::x', 'x ::error::y', '::error:y'])('%s is text', (line) => {
    expect(parseCommand(line)).toBeUndefined();
  });

  test('may be indented and in any case, and an escaped percent sign is decoded once', () => {
    expect(parseCommand('  ::ERROR title=a::%250A')).toEqual({
      name: 'error',
      properties: { title: 'a' },
      data: '%0A',
    });
  });
});

describe('command files', () => {
  test.each([
    [
      'a=1\n\nb=x=y<<z',
      [
        ['a', '1'],
        ['b', 'x=y<<z'],
      ],
    ],
    [
      'a<<_=_\n1\n2\n_=_\nb=\n',
      [
        ['a', '1\n2'],
        ['b', ''],
      ],
    ],
    ['a<<E\nE', [['a', '']]],
    ['a<<E\n\n\nE\n', [['a', '\n']]],
    ['a=1\r\n', [['a', '1\r']]],
  ])('%j', (text, pairs) => {
    expect(parseKeyValues(text)).toEqual(pairs);
  });

  test.each([
    ['novalue', "Invalid format 'novalue'"],
    ['=1', "Invalid format '=1'. Name must not be empty"],
    ['<<E', "Invalid format '<<E'. Name must not be empty and delimiter must not be empty"],
    ['a<<', "Invalid format 'a<<'. Name must not be empty and delimiter must not be empty"],
    ['a<<E\nE1\n', "Invalid value. Matching delimiter not found 'E'"],
  ])('%j is refused', (text, message) => {
    expect(() => parseKeyValues(text)).toThrow(message);
  });
});
