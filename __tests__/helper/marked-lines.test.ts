import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sectionsOf } from '../../src/git/config-text.ts';
import {
  hasUnmarked,
  markedSettings,
  withEdits,
  withoutMarked,
  type Edit,
} from '../../helper/setup/marked-lines.ts';
import { failureOf } from '../support/failure-of.ts';

const set = (name: string, value?: string, more: Partial<Edit> = {}): Edit => ({ name, value, ...more });
const edits = [
  set('ssm.key', '/ci/key'),
  set('ssm.passphrase'),
  set('ssm.github.com/acme/lib.key', '/ci/lib'),
  set('ssm.node', '/opt/a node/bin/node'),
  set('core.sshCommand', `'/it'\\''s "here"; #1\\/ssm-ssh'`),
  set('credential.https://github.com.useHttpPath', 'true'),
];
const listed = [
  'ssm.key\n/ci/key',
  'ssm.node\n/opt/a node/bin/node',
  'ssm.github.com/acme/lib.key\n/ci/lib',
  `core.sshcommand\n'/it'\\''s "here"; #1\\/ssm-ssh'`,
  'credential.https://github.com.usehttppath\ntrue',
];

/** Files that people have. */
const files: Record<string, string | undefined> = {
  'no file': undefined,
  'an empty file': '',
  'a plain file': '[user]\n\tname = me\n',
  'a file with comments and odd indentation':
    '# mine\n  [user]   ; who\nname=me # not you\n\n\n   [core]\n# nothing\n',
  'a file without a last line end': '[user]\n\tname = me',
  'a file that ends in a header': '[user]\n\tname = me\n[core]',
  'a file of Windows': '[user]\r\n\tname = me\r\n[core]\r\n\teditor = vi\r\n',
  'a file of Windows without a last line end': '[user]\r\n\tname = me',
  'a file that includes another': '[include]\n\tpath = ~/.gitconfig.more\n[core]\n\teditor = vi\n',
  'a file whose last value goes on': '[alias]\n\tx = !echo \\\n',
  'a file whose last value would go on': '[alias]\n\tx = !echo \\',
  'a file with a mark of bytes in front': '\uFEFF[user]\n\tname = me\n',
  'a file with blank lines at its end': '[user]\n\tname = me\n\n\n',
};

describe('the lines that setup writes', () => {
  let file: string;
  beforeAll(() => {
    file = join(mkdtempSync(join(tmpdir(), 'marked-')), 'config');
  });
  afterAll(() => {
    rmSync(join(file, '..'), { recursive: true });
  });
  const list = (text: string): string[] => {
    writeFileSync(file, text);
    return git('--list', '-z').split('\0').slice(0, -1);
  };
  const git = (...args: string[]): string =>
    execFileSync('git', ['config', '--file', file, ...args], { encoding: 'utf8', stdio: 'pipe' });
  /** The text after git itself has changed it. */
  const changed = (text: string, ...args: string[]): string => {
    writeFileSync(file, text);
    git(...args);
    return readFileSync(file, 'utf8');
  };

  it.each(Object.keys(files))('are read by git as intended, and are removed to the byte: %s', (name) => {
    const before = files[name];
    const text = withEdits(before, edits);
    expect(list(text)).toEqual([...list(before ?? ''), ...listed]);
    expect(withoutMarked(text)).toBe(before);
  });

  it('can have any value that git can have', () => {
    const value = fc.string({
      unit: fc.constantFrom('a', ' ', '"', '\\', '\t', ';', '#', '=', '[', "'", '\r', '\u00e9'),
    });
    fc.assert(
      fc.property(value, (one) => {
        const text = withEdits(undefined, [set('ssm.key', one)]);
        expect(markedSettings(text)).toEqual([{ name: 'ssm.key', value: one }]);
        expect(list(text)).toEqual([`ssm.key\n${one}`]);
      }),
      { numRuns: 40 },
    );
  });

  it('are changed in place, and stay in their order', () => {
    const before = '[user]\n\tname = me\n';
    const text = withEdits(before, edits);
    const again = withEdits(text, [set('ssm.key', '/ci/new'), set('ssm.region', 'eu-west-1')]);
    expect(list(again)).toEqual([
      ...['user.name\nme', 'ssm.key\n/ci/new', listed[1], 'ssm.region\neu-west-1'],
      ...listed.slice(2),
    ]);
    expect(withoutMarked(again)).toBe(before);
  });

  it('are removed one by one, with the header of an empty section', () => {
    const text = withEdits('[user]\n\tname = me\n', edits);
    const less = withEdits(text, [set('ssm.github.com/acme/lib.key'), set('ssm.key')]);
    expect(less).not.toContain('acme');
    expect(markedSettings(less).map(({ name }) => name)).toEqual([
      ...['ssm.node', 'core.sshCommand', 'credential.https://github.com.useHttpPath'],
    ]);
  });

  it('are removed with their note where a replaced value ended in a backslash', () => {
    const before = '[ssm]\n\troleArn = arn:a, \\';
    const text = withEdits(before, [set('ssm.roleArn', 'arn:b', { replaces: /^/ })]);
    expect(list(text)).toEqual(['ssm.rolearn\narn:b']);
    expect(withoutMarked(text)).toBe(before);
  });

  it('stand apart from a value that somebody has left open since', () => {
    const text = `${withEdits('', [set('ssm.key', '/ci/key')])}[alias]\n\tx = !echo\\`;
    const again = withEdits(text, [set('core.sshCommand', '/a/helper/ssm-ssh')]);
    expect(list(again)).toEqual(['ssm.key\n/ci/key', 'alias.x\n!echo', 'core.sshcommand\n/a/helper/ssm-ssh']);
  });

  it('leave the header of a section in which somebody wrote a comment', () => {
    const text = withEdits('', [set('ssm.key', '/ci/key'), set('core.sshCommand', '/a/helper/ssm-ssh')]);
    const commented = text.replace('[core]', '\t# for the runners\n[core]');
    expect(withoutMarked(commented)).toBe('[ssm]\n\t# for the runners\n');
  });

  it('stand below the lines of others, whose values count again without them', () => {
    const before = '[ssm]\n\tkey = /ci/mine\n\tpassphrase = /ci/p\n[user]\n\tname = me\n';
    const text = withEdits(before, [set('ssm.key', '/ci/key'), set('ssm.passphrase')]);
    expect(list(text).slice(-2)).toEqual(['ssm.key\n/ci/key', 'ssm.passphrase\n']);
    expect(withoutMarked(text)).toBe(before);
  });

  it('are no longer those of setup once git has changed them', () => {
    const text = changed(withEdits(undefined, edits), 'ssm.key', '/ci/mine');
    expect(list(withoutMarked(text) ?? '')).toEqual(['ssm.key\n/ci/mine']);
  });

  it('are no longer those of setup once somebody has changed them by hand', () => {
    const text = withEdits(undefined, edits).replace('key = /ci/lib', 'key = /ci/mine');
    expect(list(withoutMarked(text) ?? '')).toEqual(['ssm.github.com/acme/lib.key\n/ci/mine']);
    expect(withoutMarked(text)).toMatch(/\tkey = \/ci\/mine # ssm-ssh-agent setup [0-9a-f]{8}\n$/);
  });

  it.each([
    '[x]\n\ta = "b # ssm-ssh-agent setup 0123abcd"\n',
    '# as in: # ssm-ssh-agent setup 0123abcd\n[x]\n\ta = b # ssm-ssh-agent setup 0123abcd\n',
    '# ssm-ssh-agent setup wrote the marked lines. setup --remove takes them out; or delete them by hand, I read\n',
    '# replaced by ssm-ssh-agent 0123abcd: [x]\n',
    '[x]\n# replaced by ssm-ssh-agent 0123abcd: \ta = b\n',
    '[alias]\n\tx = !echo \\\n\t[ssm] \\\n\tkey = /ci/key # ssm-ssh-agent setup 0123abcd\n',
  ])('are not what somebody else wrote in their form: %j', (before) => {
    expect(withoutMarked(before)).toBe(before);
    expect(withoutMarked(withEdits(before, edits))).toBe(before);
  });

  it.each([
    ['spaces for tabs', (text: string) => text.replaceAll('\t', '    ')],
    ['no indentation', (text: string) => text.replaceAll(/^[ \t]+/gm, '')],
    ['aligned values', (text: string) => text.replaceAll(' = ', '   =\t')],
    ['aligned comments', (text: string) => text.replaceAll(' # ssm', '\t\t# ssm')],
  ])('are found again after an editor has written %s', (_, reformatted) => {
    const before = '[user]\n\tname = a  b\n[ssm]\n\troleArn = a\n';
    const text = withEdits(before, [...edits, set('ssm.roleArn', 'b', { replaces: /^/ })]);
    // A line that became a comment has no indentation to change.
    const plain = (one = ''): string => one.replaceAll(/^[ \t]+/gm, '');
    expect(plain(withoutMarked(reformatted(text)))).toBe(plain(reformatted(before)));
  });

  it.each([
    ['one line', '[ssm]\n\troleArn = a\n'],
    ['odd lines', '[SSM]\nregion=x ; y\n  ROLEARN=a , b   # mine\n\n[x]\n\ty = z'],
    ['several lines', '[ssm]\n\troleArn = a,\\\n\t[b],\\\n  c\n\troleArn = d\n[x]\n'],
    ['Windows lines', '[ssm]\r\n\troleArn = a\r\n'],
    ['lines of setup between', withEdits(undefined, [set('ssm.key', '/ci/key')]) + '\troleArn = a\n'],
  ])('replace lines of others whose values would count, and restore them to the byte: %s', (name, before) => {
    const text = withEdits(before, [set('ssm.roleArn', 'ours', { replaces: /^/ })]);
    const roles = (listing: string[]): string[] => listing.filter((one) => one.startsWith('ssm.rolearn'));
    expect(roles(list(text))).toEqual(['ssm.rolearn\nours']);
    const again = withEdits(text, [set('ssm.roleArn', 'new', { replaces: /^/ })]);
    expect(roles(list(again))).toEqual(['ssm.rolearn\nnew']);
    const restored = withoutMarked(again);
    if (name === 'lines of setup between') expect(restored).toBe('[ssm]\n\troleArn = a\n');
    else expect(restored).toBe(before);
  });

  it('refuse to replace a line that is also that of its section', () => {
    const before = '[ssm] roleArn = a\n';
    const { code, hint } = failureOf(() => withEdits(before, [set('ssm.roleArn', 'b', { replaces: /^/ })]));
    expect([code, hint]).toEqual(['INPUT_INVALID', expect.stringContaining('on a line of its own')]);
  });

  it('keep values of others that may stand beside theirs', () => {
    const before = '[credential "x"]\n\thelper = store\n\thelper = /old/mine\n';
    const text = withEdits(before, [set('credential.x.helper', '/new/mine', { replaces: /mine$/ })]);
    expect(list(text)).toEqual(['credential.x.helper\nstore', 'credential.x.helper\n/new/mine']);
    expect(withoutMarked(text)).toBe(before);
  });

  it('can be lines that had no mark', () => {
    const before = '[Core]  # mine\n\teditor = vi\n\tsshCommand = /opt/ssm-ssh\n';
    const adopts = set('core.sshCommand', '/opt/ssm-ssh', { adopts: true });
    expect(hasUnmarked(before, adopts.name, '/opt/ssm-ssh')).toBe(true);
    const text = withEdits(before, [adopts]);
    expect(hasUnmarked(text, adopts.name, '/opt/ssm-ssh')).toBe(false);
    expect(list(text)).toEqual(['core.editor\nvi', 'core.sshcommand\n/opt/ssm-ssh']);
    expect(withoutMarked(text)).toBe('[Core]  # mine\n\teditor = vi\n');
  });

  it.each([
    '  SSHCommand=/opt/ssm-ssh',
    '\tsshCommand = /opt/ssm-ssh # mine',
    '\tsshCommand = "/opt/ssm-ssh"',
  ])('are not lines of somebody who wrote them in another way: %j', (line) => {
    expect(hasUnmarked(`[core]\n${line}\n`, 'core.sshCommand', '/opt/ssm-ssh')).toBe(false);
  });

  it('are read as git reads them', () => {
    const piece = fc.constantFrom(
      ...[
        '[ssm]',
        '[Core "A\\"b"]',
        '[a.B]',
        '\n',
        '\n\t',
        'key',
        ' = ',
        '=',
        'a',
        ' ',
        '"',
        '\\"',
        '\\\n',
        '\\t',
      ],
      ...['\r\n', '#', ';', '\u00e0', '[', ']', 'x y', '\n[x]\n', '\nk = v\n', '\nflag\n'],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = `[s]\n${pieces.join('')}`;
        let listed: string[];
        try {
          listed = list(text);
        } catch {
          return;
        }
        const found = sectionsOf(text).flatMap(({ entries }) => entries);
        const shown = found.map(({ name, value }) => (value === undefined ? name : `${name}\n${value}`));
        expect(shown).toEqual(listed);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    [['core.pager', 'less'], 'core.pager\nless'],
    [['ssm.timeout', '10s'], 'ssm.timeout\n10s'],
    [
      ['--add', 'credential.https://github.com.helper', 'store'],
      'credential.https://github.com.helper\nstore',
    ],
    [['user.email', 'me@example.com'], 'user.email\nme@example.com'],
  ])('leave what git has written between them since: %j', (args, expected) => {
    const text = changed(withEdits(undefined, edits), ...args);
    expect(list(withoutMarked(text) ?? '')).toEqual([expected]);
  });

  it('leave what somebody wrote below them, also comments', () => {
    const before = '[user]\n\tname = me';
    const more = '\n# mine\n[alias]\n\tst = status\n';
    expect(withoutMarked(`${withEdits(before, edits)}${more}`)).toBe(`${before}\n${more}`);
  });

  it('are found again after an editor has written CRLF', () => {
    const text = withEdits('[user]\n\tname = me\n', edits).replaceAll('\n', '\r\n');
    expect(withoutMarked(text)).toBe('[user]\r\n\tname = me\r\n');
  });

  it('leave nothing behind after git has removed some of them', () => {
    let text = withEdits(undefined, edits);
    for (const name of ['ssm.key', 'core.sshCommand']) text = changed(text, '--unset', name);
    expect(withoutMarked(text)).toBeUndefined();
  });

  it('are not found in files without them', () => {
    for (const text of Object.values(files)) {
      expect(markedSettings(text)).toEqual([]);
      if (text !== undefined) expect(withoutMarked(text)).toBe(text);
    }
  });
});
