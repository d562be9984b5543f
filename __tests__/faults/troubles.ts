/** What can go wrong with one call, and what main promises then. */
import type { Code } from '../../src/errors.ts';
import type { Fault } from '../support/aws/local-aws.ts';
import type { ReadyWorld } from '../support/aws/world.ts';
import { expireInstance, type FaultyCall } from './calls.ts';

/** What is unusual about the job. */
export interface Arranged {
  readonly env?: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, string>>;
}

/** Places where nothing good answers. */
export interface Places {
  /** Nobody listens there. */
  readonly closed: string;
  /** TLS with a certificate that nobody knows. */
  readonly untrusted: string;
}

export interface Trouble {
  readonly name: string;
  /** Milliseconds by which AWS's clock is ahead of this machine's. */
  readonly ahead?: number;
  readonly arrange: (call: FaultyCall, world: ReadyWorld, places: Places) => Arranged;
  /** Each of these codes is right; `ok`: the step goes on. `undefined`: the trouble cannot be made for this call. */
  readonly promise: (call: FaultyCall) => 'ok' | readonly Code[] | undefined;
  /** What the two lines have to say as well. */
  readonly says?: RegExp;
}

type Kind = FaultyCall['kind'];
type Promised = Partial<Record<Kind, 'ok' | Code | readonly Code[]>>;

const ordered =
  (fault: Fault, times?: number): Trouble['arrange'] =>
  ({ operation }, { aws }) => {
    aws.faults.order({ operation, fault, ...(times !== undefined && { times }) });
    return {};
  };

/** Where it stays, two tries have to be enough to say so. */
const few = { 'max-attempts': '2' };

const staying =
  (fault: Fault): Trouble['arrange'] =>
  (...place) => ({ ...ordered(fault)(...place), inputs: few });

const passes = (): 'ok' => 'ok';

/** @param codes for the APIs, unless a kind of call has its own */
const ends =
  (codes: Code | readonly Code[], own: Promised = {}): Trouble['promise'] =>
  ({ kind }) => {
    const promised = own[kind] ?? (kind === 'oidc' ? 'OIDC_REQUEST_FAILED' : codes);
    return promised === 'ok' || typeof promised === 'object' ? promised : [promised];
  };

const unreachable = ends('NETWORK_UNREACHABLE');
/** With so little time its end may come before the last try has ended. */
const late = (own: Promised = {}): Trouble['promise'] =>
  ends(['NETWORK_UNREACHABLE', 'TIMEOUT'], { oidc: ['OIDC_REQUEST_FAILED', 'TIMEOUT'], ...own });

/** Overcome where it happens once; as promised where it stays. */
function both(fault: Fault, forever: Pick<Trouble, 'name' | 'promise' | 'says'>): Trouble[] {
  return [
    { name: `${forever.name}, once`, arrange: ordered(fault, 1), promise: passes },
    { ...forever, arrange: staying(fault) },
  ];
}

const expired = { error: { code: 'ExpiredTokenException', message: 'Token expired: it is too late' } };
const MINUTES = 60_000;

const lead =
  (place: keyof Places): Trouble['arrange'] =>
  ({ endpoint }, _, places) => ({ env: { [endpoint]: places[place] }, inputs: few });

/** Other requests to the metadata service cannot be told from these before they are sent. */
const notLaterMetadata =
  (promise: Trouble['promise']): Trouble['promise'] =>
  (call) =>
    call.kind === 'metadata' ? undefined : promise(call);

export const troubles: readonly Trouble[] = [
  {
    name: 'refused',
    arrange: lead('closed'),
    promise: notLaterMetadata(ends('NETWORK_UNREACHABLE', { 'metadata token': 'CREDENTIALS_MISSING' })),
  },
  {
    name: 'TLS failure',
    arrange: lead('untrusted'),
    // The metadata service has no TLS: what speaks it is not that service.
    promise: notLaterMetadata(ends('NETWORK_UNREACHABLE')),
    says: /NODE_EXTRA_CA_CERTS|instance metadata/,
  },
  ...both('reset', { name: 'reset', promise: unreachable }),
  // Nothing comes back through a hop limit, and off EC2.
  ...both('hang', { name: 'hang', promise: late({ 'metadata token': 'CREDENTIALS_MISSING' }) }),
  ...both('drip', {
    name: 'drip',
    promise: (call) =>
      // A role's name is over before anybody has had enough.
      call.operation.endsWith('security-credentials/') ? 'ok' : late()(call),
  }),
  ...both('stall', { name: 'stall after headers', promise: late() }),
  ...both('cut', { name: 'cut body', promise: unreachable }),
  ...both('internal-error', { name: '500', promise: ends('PROVIDER_FAILED') }),
  ...both('unavailable', { name: '503', promise: ends('PROVIDER_FAILED') }),
  ...both('bad-gateway', {
    name: '502 with HTML',
    promise: ends(['PROVIDER_FAILED', 'NETWORK_UNREACHABLE']),
  }),
  ...both('throttling', { name: 'throttled', promise: ends('THROTTLED') }),
  {
    name: 'throttled to the end of the limit',
    arrange: (...place) => ({
      ...ordered('throttling')(...place),
      inputs: { 'max-attempts': '100', 'timeout-seconds': '5' },
    }),
    promise: ends('THROTTLED', { oidc: 'TIMEOUT' }),
    says: /limits the rate of calls|429/,
  },
  ...both('malformed', { name: 'HTML', promise: unreachable }),
  ...both('redirect', { name: 'redirect', promise: unreachable, says: /redirect.*portal\.example\.test/ }),
  ...both('huge', { name: '50 MB', promise: unreachable }),
  ...both('broken', {
    name: 'half of the JSON',
    promise: (call) =>
      // Half of the name of a role is the name of a role, and there is none of that name.
      call.operation.endsWith('security-credentials/') ? ['CREDENTIALS_MISSING'] : unreachable(call),
  }),
  { name: 'wrong JSON', arrange: staying('foreign'), promise: unreachable },
  ...[20, -20].map((minutes) => ({
    name: `clock ${String(Math.abs(minutes))} minutes ${minutes > 0 ? 'slow' : 'fast'}`,
    ahead: minutes * MINUTES,
    arrange: () => ({}),
    promise: passes,
  })),
  {
    name: 'expired, once',
    arrange: ({ operation, kind }, { aws }) => {
      // A metadata token that has ended is answered with 401.
      const fault = kind.startsWith('metadata')
        ? { error: { code: 'Unauthorized', message: '', status: 401 } }
        : expired;
      aws.faults.order({ operation, fault, times: 1 });
      return {};
    },
    // GitHub's service gives tokens, and is shown none; credentials of the environment are what they are.
    promise: ({ kind, operation }) =>
      kind === 'oidc' || kind === 'metadata token' || operation === 'sts:GetCallerIdentity'
        ? undefined
        : 'ok',
  },
  {
    name: 'expired',
    arrange: ({ operation, kind }, { aws }) => {
      if (kind === 'metadata') expireInstance(aws);
      else if (kind === 'oidc') {
        const seconds = Math.floor(Date.now() / 1000);
        return { env: aws.actionsEnvironment({ claims: { exp: seconds - 60, iat: seconds - 360 } }) };
      } else aws.faults.order({ operation, fault: expired });
      return {};
    },
    promise: ({ kind }) => {
      if (kind === 'metadata token') return undefined;
      return [kind === 'oidc' || kind === 'web identity' ? 'ASSUME_ROLE_DENIED' : 'CREDENTIALS_EXPIRED'];
    },
    says: /clock|new credentials/,
  },
];
