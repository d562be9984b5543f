/** Certificates of hosts, made by the real ssh-keygen. */
import { describe, expect, it } from '@jest/globals';
import type { Failure } from '../../../src/errors.ts';
import { permittedHost } from '../../../src/kms/front/host-permission.ts';
import type { KnownHost } from '../../../src/kms/front/identity.ts';
import { SessionBindings } from '../../../src/kms/front/session-bindings.ts';
import { checkableKeysFor, revokedKeysFor } from '../../../src/ssh/host-keys.ts';
import { certify, listCertificate } from '../../support/keygen.ts';
import { securityKey, signedBy } from '../../support/security-key.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { makeHost } from './requests.ts';

const [authority, stranger, rsaAuthority] = await Promise.all([
  makeSshKey(),
  makeSshKey(),
  makeSshKey({ type: 'rsa' }),
]);
const host = makeHost();
const blobOf = (line: string): Buffer => Buffer.from(line.split(' ')[1] ?? '', 'base64');
const certificate = (options: readonly string[], by = authority): Buffer =>
  blobOf(certify(host.signer.line, by.privateKey, options));

/** As the front reads known_hosts. */
function hostsOf(lines: string, ...names: readonly string[]): KnownHost[] {
  return names.map((name) => ({
    host: name,
    keys: checkableKeysFor(name, lines),
    revoked: revokedKeysFor(name, lines),
  }));
}
const now = Math.floor(Date.now() / 1000);
const trusted = (by = authority): string => `@cert-authority *.test ${by.publicKey}\n`;

function outcome(blob: Buffer, hosts: readonly KnownHost[], at = now): string {
  try {
    return permittedHost(blob, hosts, { now: at });
  } catch (error) {
    return (error as Failure).message;
  }
}

describe('a certificate of a host', () => {
  const usual = certificate(['-h', '-n', 'git.test', '-V', '-5m:+1h']);

  it('binds a session by the signature of the key in it', () => {
    expect(new SessionBindings().bind(host.bind({ hostKey: usual }))).toBeUndefined();
    const others = makeHost().bind({ hostKey: usual });
    expect(new SessionBindings().bind(others)).toContain('not signed');
  });

  it('is permitted by a known authority, on every port', () => {
    expect(outcome(usual, hostsOf(trusted(), 'other.test', 'git.test'))).toBe('git.test');
    const onPort = `@cert-authority [git.test]:2222 ${authority.publicKey}\n`;
    expect(outcome(usual, hostsOf(onPort, '[git.test]:2222'))).toBe('[git.test]:2222');
  });

  it('is permitted with a pattern as its principal, and by an RSA authority', () => {
    const wide = certificate(['-h', '-n', '*.test', '-t', 'rsa-sha2-512'], rsaAuthority);
    expect(outcome(wide, hostsOf(trusted(rsaAuthority), 'git.test'))).toBe('git.test');
  });

  it('is permitted by the key in it, unless that key is revoked', () => {
    const plain = `git.test ${host.signer.line}\n`;
    expect(outcome(usual, hostsOf(plain, 'git.test'))).toBe('git.test');
    const revoked = `${plain}@revoked * ${host.signer.line}\n`;
    expect(outcome(usual, hostsOf(revoked, 'git.test'))).toContain('not a known key');
  });

  it('by an unknown or revoked authority is refused', () => {
    expect(outcome(usual, hostsOf(trusted(stranger), 'git.test'))).toContain('not a known key');
    expect(outcome(usual, hostsOf(`git.test ${authority.publicKey}\n`, 'git.test'))).toContain(
      'not a known key',
    );
    const revoked = `${trusted()}@revoked * ${authority.publicKey}\n`;
    expect(outcome(usual, hostsOf(revoked, 'git.test'))).toContain('not a known key');
  });

  it('with a revoked key in it is refused', () => {
    const revoked = `${trusted()}@revoked git.test ${host.signer.line}\n`;
    expect(outcome(usual, hostsOf(revoked, 'git.test'))).toContain('not a known key');
  });

  it('for another name, another time, a user, or without a name is refused', () => {
    const hosts = hostsOf(trusted(), 'git.test');
    expect(outcome(certificate(['-h', '-n', 'other.test']), hosts)).toContain('does not name git.test');
    expect(outcome(certificate(['-h']), hosts)).toContain('does not name git.test');
    expect(outcome(usual, hosts, now + 3700)).toContain('no longer valid');
    expect(outcome(usual, hosts, now - 3700)).toContain('not valid yet');
    expect(outcome(certificate(['-n', 'git.test']), hosts)).toContain('not a certificate for a host');
  });

  it('with a critical option is refused', () => {
    const option = certificate(['-h', '-n', 'git.test', '-O', 'critical:x@example.com=1']);
    expect(outcome(option, hostsOf(trusted(), 'git.test'))).toContain('critical options');
  });

  it('that is damaged is refused, wherever it is', () => {
    for (let at = 0; at < usual.length; at += 7) {
      const damaged = Buffer.from(usual);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(outcome(damaged, hostsOf(trusted(), 'git.test'))).not.toBe('git.test');
    }
  });

  it.each(['ed25519', 'nistp256'] as const)('is permitted by an authority in a security key, %s', (kind) => {
    const [inToken, other] = [securityKey(kind), securityKey(kind)];
    const blob = signedBy(inToken, usual);
    const line = (cert: Buffer): string => `ssh-ed25519-cert-v01@openssh.com ${cert.toString('base64')}`;
    expect(listCertificate(line(blob))).toContain('Signing CA: ');
    const hosts = hostsOf(`@cert-authority *.test ${inToken.line}\n`, 'git.test');
    expect(outcome(blob, hosts)).toBe('git.test');
    expect(outcome(blob, hostsOf(`@cert-authority *.test ${other.line}\n`, 'git.test'))).toContain(
      'not a known key',
    );
    expect(new SessionBindings().bind(host.bind({ hostKey: blob }))).toBeUndefined();
    const wrong = signedBy({ ...inToken, sign: other.sign }, usual);
    expect(() => listCertificate(line(wrong))).toThrow();
    expect(outcome(wrong, hosts)).toContain('damaged');
    for (let at = blob.length - 90; at < blob.length; at++) {
      const damaged = Buffer.from(blob);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(outcome(damaged, hosts)).not.toBe('git.test');
    }
  });
});
