/** What a refused signature says, and how to allow it. */
import { describe, expect, it } from '@jest/globals';
import { fingerprint } from '../../../src/keys/public-key.ts';
import { namedHost, permittedHost, type Rules } from '../../../src/kms/front/host-permission.ts';
import { SessionBindings } from '../../../src/kms/front/session-bindings.ts';
import { readSignatureRequest } from '../../../src/kms/front/signature-request.ts';
import type { BindRequest } from '../../../src/ssh/agent-requests.ts';
import { memorySigner } from '../../support/memory-signer.ts';
import { loginData, makeHost, signRequest, sshsigData, type Login } from './requests.ts';

const { blob } = memorySigner('ed25519').publicKey;
const host = makeHost();
const jump = makeHost();
const other = Buffer.alloc(32, 9);
const strict: Rules = { unbound: 'refuse', forwarding: 'refuse' };

const refusal = (message: string, hint: string): unknown =>
  expect.objectContaining({ code: 'SIGNATURE_REFUSED', message, hint });

describe('the refusal of a login', () => {
  function attempt(binds: readonly BindRequest[], login: Partial<Login>, rules: Partial<Rules> = {}) {
    const bindings = new SessionBindings();
    for (const bind of binds) bindings.bind(bind);
    const request = readSignatureRequest(signRequest(blob, loginData({ blob, ...login })), 'ssh-ed25519');
    return () => namedHost(request, bindings, { ...strict, ...rules });
  }
  const way = jump.bind({ isForwarding: true, sessionId: other });

  it('whose session-bind was not valid says to update OpenSSH', () => {
    expect(attempt([{ ...host.bind(), signature: Buffer.alloc(0) }], {})).toThrow(
      refusal("the client's session-bind was not valid", 'update OpenSSH on this machine and on the host'),
    );
  });

  it('that comes through a forwarded agent names the rule, and where it is written', () => {
    const message = 'the request comes through a forwarded agent';
    const hint = 'if hosts that you log in to may use it:';
    expect(attempt([way], {})).toThrow(
      refusal(message, `${hint} write forwarding=allow in the line of the key`),
    );
    expect(attempt([way], {}, { writtenIn: 'ssm.github.com.' })).toThrow(
      refusal(
        message,
        `${hint} set ssm.github.com.forwarding to allow in git's global or system configuration`,
      ),
    );
  });

  it('for another session or another host key says to open a new connection', () => {
    expect(attempt([host.bind()], { sessionId: other })).toThrow(
      refusal('the login is for another session than the one that is bound', 'open a new connection'),
    );
    expect(attempt([host.bind()], { hostKey: jump.key })).toThrow(
      refusal('the login names another host key than the bound session', 'open a new connection'),
    );
  });

  it('that is forwarded without a host key names the version of OpenSSH', () => {
    expect(attempt([way, host.bind()], {}, { forwarding: 'allow' })).toThrow(
      refusal('a forwarded login does not name its host key', 'OpenSSH 8.9 or newer is needed on each host'),
    );
  });

  it('without any host names the version of OpenSSH, and the rule', () => {
    const message = 'the client does not name the host that it logs in to';
    expect(attempt([], {})).toThrow(
      refusal(message, 'use OpenSSH 8.9 or newer, or: write unbound=allow in the line of the key'),
    );
  });
});

it('git is refused a signature over the connection of a login', () => {
  const bindings = new SessionBindings();
  bindings.bind(host.bind());
  const request = readSignatureRequest(signRequest(blob, sshsigData()), 'ssh-ed25519');
  expect(() => namedHost(request, bindings, strict)).toThrow(
    refusal('the connection is bound to a login, and git asks for a signature', 'open a new connection'),
  );
});

describe('a host that the key may not sign for', () => {
  const known = (...names: readonly string[]) =>
    names.map((name) => ({ host: name, keys: [{ isAuthority: false, blob: jump.key }] }));
  const message = (names: string): string =>
    `the host has the host key ${fingerprint({ blob: host.key })}, which is not a known key of a host of this key (${names})`;
  const hint = 'name a repository of that host in the line of the key, and check its known_hosts lines';

  it.each([
    [[], 'none is known'],
    [['a'], 'a'],
    [['a', 'b', 'a'], 'a, b'],
    [['a', 'b', 'c', 'd', 'e'], 'a, b, c, d, e'],
    [['a', 'b', 'c', 'd', 'e', 'f'], 'a, b, c, d, e, …'],
  ])('is told the known hosts %j as "%s"', (hosts, names) => {
    expect(() => permittedHost(host.key, known(...hosts), { now: 0 })).toThrow(refusal(message(names), hint));
  });
});

it('a text of others is shown with 60 characters at most', () => {
  const named = (algorithm: string) => () =>
    readSignatureRequest(signRequest(blob, loginData({ blob, algorithm })), 'ssh-ed25519');
  expect(named('x'.repeat(60))).toThrow(`"${'x'.repeat(60)}"`);
  expect(named('x'.repeat(61))).toThrow(`"${'x'.repeat(60)}…"`);
});

it('a session id has 128 bytes at most', () => {
  const read = (length: number) => () =>
    readSignatureRequest(
      signRequest(blob, loginData({ blob, sessionId: Buffer.alloc(length, 1) })),
      'ssh-ed25519',
    );
  expect(read(128)).not.toThrow();
  expect(read(129)).toThrow();
});
