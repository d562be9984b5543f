/** What we write is read by sh, git and the runner's files as it was meant, whatever is in it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { headerOf, quotedValue } from '../../src/git/config-text.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { workflowCommands } from '../../src/workflow-commands.ts';
import { hostilePart, hostileParts } from './hostile.ts';

const seed = Date.now() % 1_000_000;
const texts = [
  ...hostileParts,
  ...fc
    .sample(fc.array(hostilePart, { maxLength: 3 }), { numRuns: 100, seed })
    .map((parts) => parts.join('a')),
].filter((text) => !/[\0]/.test(text) && !/\p{Surrogate}/u.test(text) && text.length < 1000);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'agreements-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('quoted for the shell, each text is one word and runs nothing', () => {
  const script = `printf '%s\\0' ${texts.map(quoteForShell).join(' ')}`;
  writeFileSync(join(folder, 'script'), script);
  const said = execFileSync('sh', [join(folder, 'script')], { encoding: 'utf8', cwd: folder });
  expect([seed, said.split('\0').slice(0, -1)]).toEqual([seed, texts]);
});

it("written to git's configuration, each text is the value that git reads", () => {
  const values = texts.filter((text) => !text.includes('\r'));
  const lines = values.map((value, at) => `${headerOf(`ssm.${at}.key`)}\n\tkey = ${quotedValue(value)}\n`);
  writeFileSync(join(folder, 'config'), lines.join(''));
  const said = execFileSync(
    'git',
    ['config', '-z', '--file', join(folder, 'config'), '--get-regexp', '^ssm'],
    { encoding: 'utf8' },
  );
  const read = said
    .split('\0')
    .slice(0, -1)
    .map((entry) => entry.slice(entry.indexOf('\n') + 1));
  expect([seed, read]).toEqual([seed, values]);
});

it('in a message to the log, each text is one line without a command of the runner', () => {
  const written: string[] = [];
  const { info, warn } = workflowCommands({ env: {}, write: (text) => written.push(text) });
  for (const text of texts) {
    info(`key ${text}`);
    warn(text);
  }
  for (const line of written)
    expect([seed, line]).toEqual([
      seed,
      expect.stringMatching(/^(key |::warning::ssm-ssh-agent: )[^\n]*\n$/),
    ]);
  expect(written.join('')).not.toMatch(/[^\P{Cc}\n]|[\u2028\u2029\u202e\u2066]|##\[/u);
});

it('exported to later steps, each text sets one variable', () => {
  const file = join(folder, 'env');
  const { exportVariable } = workflowCommands({ env: { GITHUB_ENV: file }, write: () => undefined });
  for (const text of texts) exportVariable('NAME', text);
  const lines = readFileSync(file, 'utf8').split('\n');
  const names: string[] = [];
  for (let at = 0; at < lines.length - 1; at++) {
    const [, name = '', end] = /^(\w+)(?:<<(ghadelimiter_[\w-]+))?/.exec(lines[at] ?? '') ?? [];
    names.push(name);
    if (end !== undefined) at = lines.indexOf(end, at + 1);
  }
  expect([seed, names]).toEqual([seed, texts.map(() => 'NAME')]);
});
