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
});
