import { describe, expect, it } from '@jest/globals';
import { allowHint, hostHint, usesHint } from '../../src/keys/rule-place.ts';

describe('what to write so that a key signs', () => {
  it('stands in the line of a job or of exec', () => {
    expect(allowHint('unbound', 'line')).toBe('write unbound=allow in the line of the key');
    expect(usesHint('line')).toBe('write a larger uses=N in the line of the key');
    expect(hostHint('line')).toContain('in the line of the key');
  });

  it('is a setting of git where a section or ssm.key names the key', () => {
    expect(allowHint('forwarding', 'ssm.github.com/acme.')).toMatch(
      /^set ssm\.github\.com\/acme\.forwarding to/,
    );
    expect(usesHint('ssm.github.com/acme.')).toMatch(/^raise ssm\.github\.com\/acme\.uses in git's global/);
    expect(allowHint('unbound', 'ssm.')).toMatch(/^set ssm\.unbound to allow in git's global/);
    expect(hostHint('ssm.')).toMatch(/^ssm\.key is for the public git hosts: .*ssm\.HOST\.key/);
    expect(hostHint('ssm.github.com.')).toMatch(/^check the known_hosts lines/);
  });

  it('is not in SSM_SSH_KEY, which is a reference alone', () => {
    for (const hint of [allowHint('unbound', 'SSM_SSH_KEY'), hostHint('SSM_SSH_KEY')]) {
      expect(hint).toMatch(/^SSM_SSH_KEY is a reference alone: .*git config --global ssm\.HOST\.key REF/);
      expect(hint).not.toContain('line of the key');
    }
  });
});
