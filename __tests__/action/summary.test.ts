import { describe, expect, it } from '@jest/globals';
import { renderSummary } from '../../src/action/summary.ts';
import { parseReference } from '../../src/keys/reference.ts';

describe('the step summary', () => {
  it('has each name as text, also one with the characters of Markdown', () => {
    const reference = parseReference('secretsmanager:ci/deploy:a`b|c');
    const key = { secret: { reference, version: '1' }, fingerprint: 'SHA256:x', repositories: [] };
    const [, , , , row] = renderSummary({ keys: [key], tokens: [] }, 3600).split('\n');
    expect(row).toBe(
      "| `secretsmanager:ci/deploy:a'b\\|c` | 1 | `SHA256:x` | all that no other key matches | 3600 s |",
    );
  });

  const token = {
    secret: { reference: parseReference('/ci/app'), version: '2' },
    repositories: ['acme/lib', 'acme/tools'],
    expiresAt: Date.UTC(2026, 10, 29, 10, 31) / 1000,
  };
  const key = {
    secret: { reference: parseReference('/ci/key'), version: '1' },
    fingerprint: 'SHA256:x',
    repositories: [],
  };

  it.each([
    ['SSH keys', [key], []],
    ['Tokens', [], [token]],
    ['SSH keys and tokens', [key], [token]],
  ])('says what its table has: %s', (title, keys, tokens) => {
    const text = renderSummary({ keys, tokens }, 0);
    expect(text.split('\n').find((line) => line.startsWith('#'))).toMatch(new RegExp(`^#+ ${title}$`));
    expect(text.split('\n').filter((line) => line.startsWith('| `')).length).toBe(
      keys.length + tokens.length,
    );
  });

  it('says until when a token is valid, and for what', () => {
    expect(renderSummary({ keys: [], tokens: [token] }, 0)).toContain(
      '| `/ci/app` | 2 | token for HTTPS | `acme/lib`, `acme/tools` | until 10:31 UTC |',
    );
  });

  it('says that keys without a limit end with the job', () => {
    expect(renderSummary({ keys: [key], tokens: [] }, 0)).toContain(
      '| all that no other key matches | the job |',
    );
  });
});
