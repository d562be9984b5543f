/** The search itself: it finds a secret in each form, wherever a program puts it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { itWith } from '../support/needs.ts';
import { leaksIn } from './leaks.ts';
import { formsOf } from './secrets.ts';
import { readTraces, tracing } from './trace.ts';
import { isTraced } from './traced-job.ts';

const text = 'a secret of "many" words\nand of/two+lines';
const secret = { name: 'the secret', text, mayGo: [] };

describe('the search for secrets', () => {
  it.each([
    ['a line', 'and of/two+lines'],
    ['base64 in a longer text', Buffer.from(`x${text}yz`).toString('base64')],
    ['base64 of a line, one byte later', Buffer.from('xxand of/two+lines').toString('base64')],
    ['base64url', Buffer.from(text).toString('base64url')],
    ['hex', Buffer.from(text).toString('hex')],
    ['a URL', `https://x.test/?q=${encodeURIComponent(text)}`],
    ['JSON', JSON.stringify({ text })],
  ])('finds %s', (_, told) => {
    expect(leaksIn({ name: 'a text', calls: [], secrets: [secret], texts: { here: told } })).toEqual([
      'a text: the secret is in here',
    ]);
  });

  it('looks for no text that is found by chance', () => {
    expect(formsOf('short')).not.toContain('short');
    const texts = { here: 'nothing of it is in this line' };
    expect(leaksIn({ name: 'a text', calls: [], secrets: [secret], texts })).toEqual([]);
  });

  itWith('strace')('finds where a program puts it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'search-'));
    const name = 'and of_two+lines';
    const script = `printf '%s' "$0" | base64 >out; mkdir "$0"; printf %s "$0" >&2; X="$0" true; exec env X="$0" true`;
    const argv = [...tracing(join(folder, 'trace')), 'sh', '-c', script, name];
    execFileSync('env', argv, { cwd: folder, stdio: 'ignore' });
    while (isTraced(folder)) await sleep(20);
    const secrets = [{ name: 'the secret', text: name, mayGo: [] }];
    const found = leaksIn({
      name: 'it',
      calls: readTraces(folder),
      secrets,
      texts: {},
      given: ['the secret'],
    });
    const places = new Set(found.map((leak) => leak.split(' goes to ')[1]?.split(':')[0]));
    expect(places).toEqual(new Set(['file', 'name', 'start', 'stdout']));
    rmSync(folder, { recursive: true });
  });
});
