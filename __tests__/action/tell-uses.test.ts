/** What post tells of the signatures of a job. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { renderUses, tellUses } from '../../src/action/tell-uses.ts';
import { describeUses } from '../../src/kms/front/describe-uses.ts';
import type { Use } from '../../src/kms/front/use-log.ts';

const use = (more: Partial<Use> = {}): Use => ({
  ...{ number: 1, time: '2026-11-29T10:11:12.345Z', outcome: 'signed', purpose: 'authentication' },
  ...{ key: 'SHA256:k', comment: 'kms:alias/deploy', host: 'github.com', hostKey: 'SHA256:h', user: 'git' },
  ...{ algorithm: 'ssh-ed25519', ...more },
});
const failure = { code: 'SIGNATURE_REFUSED', message: 'the host is another one', hint: 'name it' };
const refused = use({ outcome: 'refused', host: undefined, failure });
const totals = { signed: 1, refused: 1, failed: 0 };

describe('the log', () => {
  it('has the time, the key, the host, the user and the algorithm of each signature', () => {
    expect(describeUses({ uses: [use(), refused], totals })).toEqual([
      '2026-11-29T10:11:12.345Z kms:alias/deploy: signed a login as git at github.com by ssh-ed25519',
      '2026-11-29T10:11:12.345Z kms:alias/deploy: refused a login as git at SHA256:h: SIGNATURE_REFUSED the host is another one',
    ]);
    expect(describeUses({ uses: [use({ purpose: 'git' })], totals: { ...totals, refused: 0 } })).toEqual([
      '2026-11-29T10:11:12.345Z kms:alias/deploy: signed a signature of git by ssh-ed25519',
    ]);
  });

  it('does not call a login what is none', () => {
    const other = use({ ...refused, purpose: 'unknown', user: undefined, hostKey: undefined });
    expect(describeUses({ uses: [other], totals })).toContain(
      '2026-11-29T10:11:12.345Z kms:alias/deploy: refused a signature: SIGNATURE_REFUSED the host is another one',
    );
  });

  it('says how many the agent no longer has', () => {
    expect(describeUses({ uses: [], totals: { signed: 3000, refused: 0, failed: 0 } })).toEqual([
      '3000 more signatures are only in CloudTrail',
    ]);
    // CloudTrail has nothing of what was refused here.
    expect(describeUses({ uses: [refused], totals: { signed: 0, refused: 7, failed: 1 } }).slice(1)).toEqual([
      '7 more requests that got no signature are no longer in the log',
    ]);
  });
});

it('the summary is a table in which nothing can end a cell', () => {
  const table = renderUses({ uses: [use({ user: 'a|b`c', comment: 'kms:alias/x' }), refused] });
  expect(table.split('\n').slice(4, 6)).toEqual([
    "| 10:11:12 | `kms:alias/x` | `github.com` | `a\\|b'c` | `ssh-ed25519` | signed |",
    '| 10:11:12 | `kms:alias/deploy` | `SHA256:h` | `git` | `ssh-ed25519` | SIGNATURE_REFUSED |',
  ]);
});

describe('an agent that does not give its log', () => {
  const told = async (mode: number): Promise<string[]> => {
    const folder = mkdtempSync(join(tmpdir(), 'uses-'));
    chmodSync(folder, mode);
    const said: string[] = [];
    const workflow = { info: (line: string) => said.push(line), summarize: () => Promise.resolve() };
    await tellUses({ folder, replaced: {} }, { env: {}, workflow });
    rmSync(folder, { recursive: true });
    return said;
  };

  it('is told of if others may write to its folder', async () => {
    expect(await told(0o777)).toEqual([
      expect.stringMatching(/log of the keys in KMS cannot be read: .*folder/),
    ]);
  });

  it('is not told of if it has ended', async () => {
    expect(await told(0o700)).toEqual([]);
  });
});
