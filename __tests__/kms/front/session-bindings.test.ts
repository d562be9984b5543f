/** Bound sessions by the rules of OpenSSH's agent, and the hosts that follow from them. */
import { describe, expect, it } from '@jest/globals';
import type { Failure } from '../../../src/errors.ts';
import { namedHost, permittedHost, type Rules } from '../../../src/kms/front/host-permission.ts';
import { SessionBindings } from '../../../src/kms/front/session-bindings.ts';
import { readSignatureRequest } from '../../../src/kms/front/signature-request.ts';
import type { BindRequest } from '../../../src/ssh/agent-requests.ts';
import { memorySigner, type SignerType } from '../../support/memory-signer.ts';
import { loginData, makeHost, session, signRequest, sshsigData, type Login } from './requests.ts';

const host = makeHost();
const jump = makeHost();
const other = Buffer.alloc(32, 9);
const bound = (...requests: readonly BindRequest[]): SessionBindings => {
  const bindings = new SessionBindings();
  for (const request of requests) expect(bindings.bind(request)).toBeUndefined();
  return bindings;
};

describe('a session', () => {
  const types: readonly SignerType[] = ['ed25519', 'rsa', 'nistp256', 'nistp384', 'nistp521'];
  it.each(types)('is bound by the signature of a host key of type %s', (type) => {
    const { bind } = makeHost(type);
    expect(bound(bind()).last).toMatchObject({ sessionId: session, isForwarding: false });
    expect(new SessionBindings().bind({ ...bind(), sessionId: other })).toContain(
      'not signed by its host key',
    );
  });

  it('is not bound by SHA-1, nor by the signature of another key, nor by a damaged key', () => {
    const { bind } = makeHost('rsa');
    const wrong = [
      bind({ algorithm: 'ssh-rsa' }),
      bind({ hostKey: host.key }),
      bind({ hostKey: host.key.subarray(0, 20) }),
      bind({ signature: Buffer.alloc(0) }),
      { ...host.bind(), signature: Buffer.concat([host.bind().signature, Buffer.of(0)]) },
    ];
    for (const request of wrong) expect(new SessionBindings().bind(request)).toContain('not signed');
  });

  it('is not bound if its id is longer than 128 bytes', () => {
    expect(new SessionBindings().bind(host.bind({ sessionId: Buffer.alloc(129) }))).toContain('too long');
    expect(new SessionBindings().bind(host.bind({ sessionId: Buffer.alloc(128) }))).toBeUndefined();
  });

  it('cannot follow one that was bound for a login', () => {
    const bindings = bound(host.bind());
    expect(bindings.bind(host.bind())).toContain('bound to a login already');
    expect(bindings.bind(jump.bind({ sessionId: other }))).toContain('bound to a login already');
    expect(bindings.last?.sessionId).toEqual(session);
  });

  it('can follow one that was bound for forwarding', () => {
    const forwarding = jump.bind({ isForwarding: true });
    const bindings = bound(forwarding, forwarding, host.bind({ sessionId: other }));
    expect(bindings).toMatchObject({ isForwarded: true, last: { hostKey: host.key, isForwarding: false } });
  });

  it('is not bound again to another key', () => {
    const bindings = bound(jump.bind({ isForwarding: true }));
    expect(bindings.bind(host.bind())).toContain('another host key');
  });

  it('stays a forwarding one if it is bound again for a login', () => {
    const bindings = bound(jump.bind({ isForwarding: true }), jump.bind());
    expect(bindings.last).toMatchObject({ isForwarding: true });
  });

  it('is not bound after 16 others', () => {
    const sessions = Array.from({ length: 16 }, (_, number) =>
      jump.bind({ isForwarding: true, sessionId: Buffer.alloc(32, number + 100) }),
    );
    expect(bound(...sessions).bind(host.bind())).toContain('too many');
  });
});

const { blob } = memorySigner().publicKey;
const strict: Rules = { unbound: 'refuse', forwarding: 'refuse' };
const signing = (data: Buffer) => readSignatureRequest(signRequest(blob, data), 'ssh-ed25519');

/** The outcome for a login. */
function judged(bindings: SessionBindings, login: Partial<Login> = {}, rules: Partial<Rules> = {}): unknown {
  return outcome(() => namedHost(signing(loginData({ blob, ...login })), bindings, { ...strict, ...rules }));
}

function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return (error as Failure).message;
  }
}

describe('a login', () => {
  it('is for the host of the session that is bound', () => {
    expect(judged(bound(host.bind()))).toEqual(host.key);
    expect(judged(bound(host.bind()), { hostKey: host.key })).toEqual(host.key);
  });

  it('for another session is refused', () => {
    expect(judged(bound(host.bind()), { sessionId: other })).toContain('another session');
    expect(judged(bound(host.bind()), { sessionId: other }, { unbound: 'allow' })).toContain(
      'another session',
    );
  });

  it('with another host key in it is refused', () => {
    expect(judged(bound(host.bind()), { hostKey: jump.key })).toContain('another host key');
  });

  it('without a bound session is for the host key in it', () => {
    expect(judged(bound(), { hostKey: host.key })).toEqual(host.key);
    expect(judged(bound(), { hostKey: host.key }, { unbound: 'allow' })).toEqual(host.key);
  });

  it('that names no host is refused, unless unbound=allow', () => {
    expect(judged(bound())).toContain('does not name the host');
    expect(judged(bound(), {}, { unbound: 'allow' })).toBeUndefined();
  });

  it('after a session-bind that was not valid is refused, even with unbound=allow', () => {
    const bindings = new SessionBindings();
    bindings.bind({ ...host.bind(), signature: Buffer.alloc(4) });
    expect(judged(bindings, {}, { unbound: 'allow' })).toContain('session-bind was not valid');
    expect(judged(bindings, { hostKey: host.key })).toContain('session-bind was not valid');
  });
});

describe('a forwarded login', () => {
  const way = jump.bind({ isForwarding: true, sessionId: other });
  const allow = { forwarding: 'allow' } as const;

  it('is refused, unless forwarding=allow', () => {
    expect(judged(bound(way, host.bind()), { hostKey: host.key })).toContain('forwarded agent');
    expect(judged(bound(way, host.bind()), { hostKey: host.key }, { unbound: 'allow' })).toContain(
      'forwarded',
    );
    expect(judged(bound(way, host.bind()), { hostKey: host.key }, allow)).toEqual(host.key);
  });

  it('has to name its host key', () => {
    expect(judged(bound(way, host.bind()), {}, allow)).toContain('does not name its host key');
  });

  it('by a client that binds nothing is judged as an unbound one', () => {
    expect(judged(bound(way), {}, allow)).toContain('does not name the host');
    expect(judged(bound(way), { hostKey: host.key }, allow)).toEqual(host.key);
    expect(judged(bound(way), {}, { ...allow, unbound: 'allow' })).toBeUndefined();
    expect(judged(bound(way), {}, { unbound: 'allow' })).toContain('forwarded agent');
  });
});

describe('a signature of git', () => {
  const git = (bindings: SessionBindings, rules: Partial<Rules> = {}): unknown =>
    outcome(() => namedHost(signing(sshsigData()), bindings, { ...strict, ...rules }));

  it('needs no host', () => {
    expect(git(bound())).toBeUndefined();
  });

  it('is refused through a forwarded agent, unless forwarding=allow', () => {
    const bindings = bound(jump.bind({ isForwarding: true }));
    expect(git(bindings)).toContain('forwarded agent');
    expect(git(bindings, { forwarding: 'allow' })).toBeUndefined();
  });

  it('is refused on a connection that is bound to a login', () => {
    expect(git(bound(host.bind()))).toContain('bound to a login');
  });
});

describe('a host', () => {
  const known = (key: Buffer, isAuthority = false) => ({
    host: 'git.test',
    keys: [{ blob: key, isAuthority }],
  });

  it('is permitted by its key', () => {
    expect(permittedHost(host.key, [known(jump.key), known(host.key)], { now: 0 })).toBe('git.test');
  });

  it('is refused by another key, by the key of an authority, and by a revoked key', () => {
    const wrong = [
      [],
      [known(jump.key)],
      [known(host.key, true)],
      [{ ...known(host.key), revoked: [host.key] }],
    ];
    for (const hosts of wrong) {
      expect(outcome(() => permittedHost(host.key, hosts, { now: 0 }))).toContain('not a known key');
    }
  });
});
