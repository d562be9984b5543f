/** How explain tells of keys that our agent signs with. */
import { describe, expect, it } from '@jest/globals';
import { refusalFor, signedBy, signedByText } from '../../helper/explain/signing.ts';
import { isStoredLine, parseKeyLine, type SigningKeyLine } from '../../src/keys/key-line.ts';

function line(text: string): SigningKeyLine {
  const parsed = parseKeyLine(text);
  if (isStoredLine(parsed)) throw new Error(`a stored key: ${text}`);
  return parsed;
}
const told = (text: string): string[] => signedByText(signedBy(line(text)));

describe('a key in KMS', () => {
  it('is signed with by our agent, for the hosts of its repositories', () => {
    expect(told('kms:alias/a github.com/acme/lib git.example.com:2222')).toEqual([
      'signed by: our agent in front of ssh-agent; the key stays in KMS',
      'signs for: github.com, [git.example.com]:2222',
    ]);
  });

  it('has its rules', () => {
    expect(told('kms:alias/a unbound=allow forwarding=allow uses=1 github.com').slice(1)).toEqual([
      'signs for: github.com; and clients that name no host (unbound=allow); and forwarded connections (forwarding=allow)',
      'ends: after 1 signature (uses=1)',
    ]);
  });

  it('without repositories is for the public git hosts, and refused for others', () => {
    const all = line('kms:alias/a');
    expect(signedBy(all).hosts).toEqual(expect.arrayContaining(['github.com', '[ssh.github.com]:443']));
    expect(refusalFor(all, { host: 'GitHub.com', path: 'acme/lib' })).toBeUndefined();
    expect(refusalFor(all, { host: 'git.example.com', port: 2222, path: 'a' })).toMatch(
      /^ssm-ssh will fail: SIGNATURE_REFUSED: kms:alias\/a .*not for \[git\.example\.com\]:2222; .*\[ssm "git\.example\.com:2222"\]/,
    );
    expect(refusalFor(all, { host: '::1', port: 2222, path: 'a' })).toContain('[ssm "[::1]:2222"]');
    expect(
      refusalFor(line('kms:alias/a other.example'), { host: 'git.example.com', path: '' }),
    ).toBeUndefined();
  });
});

describe('a key with a certificate', () => {
  it('says who signs it, for whom, for how long and for what', () => {
    const text =
      'new:ed25519 ca=kms:alias/ca principals=deploy,web valid=1h extensions=permit-pty source-address=192.0.2.0/24 force-command=rsync%20-a github.com';
    expect(told(text)[0]).toMatch(/the key is made in memory for it$/);
    expect(told(text)[1]).toBe(
      'certificate: kms:alias/ca signs one for deploy, web, valid for 1h; extensions permit-pty; from 192.0.2.0/24; for the command rsync -a',
    );
    expect(signedBy(line(text))).toMatchObject({
      privateKey: 'new',
      certificate: { authority: 'kms:alias/ca', principals: ['deploy', 'web'], valid: 3600 },
    });
    expect(signedBy(line('/ci/key ca=/ci/ca principals=a'))).toMatchObject({
      privateKey: 'stored',
      certificate: { authority: '/ci/ca', valid: 900, sourceAddress: null, forceCommand: null },
    });
  });
});
