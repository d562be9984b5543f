/** The possible faults of one call, and what main and the programs promise for each. */
import type { Code } from '../../src/errors.ts';
import type { Fault, LocalAws } from '../support/aws/local-aws.ts';
import { expireInstance, type Call } from './calls.ts';
import type { Places } from './places.ts';

/** The changes to the usual job. */
export interface Arranged {
  readonly env?: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, string>>;
}

/** The service of the call, and the AWS around it. */
export interface Asked {
  readonly aws: LocalAws;
  readonly faults: Pick<LocalAws['faults'], 'order'>;
}

export interface Trouble {
  readonly name: string;
  /** Milliseconds by which AWS's clock is ahead of this machine's. */
  readonly ahead?: number;
  readonly arrange: (call: Call, asked: Asked, places: Places) => Arranged;
  /** Any of these codes is correct; `ok`: the step succeeds. `undefined`: the fault is impossible for this call. */
  readonly promise: (call: Call) => 'ok' | readonly Code[] | undefined;
  /** Additional text of the error. */
  readonly says?: RegExp;
}

type Kind = Call['kind'];
type Promised = Partial<Record<Kind, 'ok' | Code | readonly Code[]>>;

const ordered =
  (fault: Fault, times?: number): Trouble['arrange'] =>
  ({ operation }, { faults }) => {
    faults.order({ operation, fault, ...(times !== undefined && { times }) });
    return {};
  };

/** For permanent faults, two tries have to be enough. */
const few = { 'max-attempts': '2' };

const staying =
  (fault: Fault): Trouble['arrange'] =>
  (...place) => ({ ...ordered(fault)(...place), inputs: few });

const passes = (): 'ok' => 'ok';

/** @param codes for the APIs, unless a kind of call has its own */
const ends =
  (codes: 'ok' | Code | readonly Code[], own: Promised = {}): Trouble['promise'] =>
  ({ kind }) => {
    const promised = own[kind] ?? (kind === 'oidc' ? 'OIDC_REQUEST_FAILED' : codes);
    return promised === 'ok' || typeof promised === 'object' ? promised : [promised];
  };

const unreachable = ends('NETWORK_UNREACHABLE');
/** GitHub redirects a repository that was renamed, and proxies in front of it are rare. */
const foreign = ends('NETWORK_UNREACHABLE', { github: 'PROVIDER_FAILED' });
/** With such a short limit, the time limit may end before the last try. */
const late = (own: Promised = {}): Trouble['promise'] =>
  ends(['NETWORK_UNREACHABLE', 'TIMEOUT'], { oidc: ['OIDC_REQUEST_FAILED', 'TIMEOUT'], ...own });

/** Overcome if it happens once; as promised if it is permanent. */
function both(fault: Fault, forever: Pick<Trouble, 'name' | 'promise' | 'says'>): Trouble[] {
  return [
    { name: `${forever.name}, once`, arrange: ordered(fault, 1), promise: passes },
    { ...forever, arrange: staying(fault) },
  ];
}

const expired = { error: { code: 'ExpiredTokenException', message: 'Token expired: it is too late' } };
const revoked = { error: { code: 'Bad credentials', message: 'Bad credentials', status: 401 } };
const MINUTES = 60_000;

const lead =
  (place: keyof Omit<Places, 'env'>): Trouble['arrange'] =>
  ({ endpoint }, _, places) => ({ env: { ...places.env, [endpoint]: places[place] }, inputs: few });

/** Later requests to the metadata service cannot be distinguished before they are sent. */
const notLaterMetadata =
  (promise: Trouble['promise']): Trouble['promise'] =>
  (call) =>
    call.kind === 'metadata' ? undefined : promise(call);

const notMetadata =
  (promise: Trouble['promise']): Trouble['promise'] =>
  (call) =>
    call.kind.startsWith('metadata') ? undefined : promise(call);

export const troubles: readonly Trouble[] = [
  {
    name: 'refused',
    arrange: lead('closed'),
    promise: notLaterMetadata(ends('NETWORK_UNREACHABLE', { 'metadata token': 'CREDENTIALS_MISSING' })),
  },
  {
    name: 'DNS failure',
    arrange: lead('unnamed'),
    promise: notLaterMetadata(ends('NETWORK_UNREACHABLE', { 'metadata token': 'CREDENTIALS_MISSING' })),
  },
  {
    name: 'certificate of nobody',
    arrange: lead('untrusted'),
    // The metadata service has no TLS, so a server with TLS is another service.
    promise: notLaterMetadata(ends('NETWORK_UNREACHABLE')),
    says: /NODE_EXTRA_CA_CERTS|instance metadata/,
  },
  {
    name: 'certificate of another host',
    arrange: lead('misnamed'),
    promise: notMetadata(ends('NETWORK_UNREACHABLE')),
  },
  {
    name: 'TLS failure',
    arrange: lead('plain'),
    promise: notMetadata(ends('NETWORK_UNREACHABLE')),
  },
  ...both('reset', { name: 'reset', promise: unreachable }),
  // With a hop limit, and outside of EC2, there is no answer.
  ...both('hang', { name: 'hang', promise: late({ 'metadata token': 'CREDENTIALS_MISSING' }) }),
  ...both('drip', {
    name: 'drip',
    promise: (call) =>
      // A role's name is short and complete before the time limit.
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
  ...both('throttling', { name: 'throttled', promise: ends('THROTTLED', { github: 'PROVIDER_FAILED' }) }),
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
  ...both('redirect', { name: 'redirect', promise: foreign, says: /redirect.*portal\.example\.test/ }),
  ...both('huge', { name: '100 MB', promise: unreachable }),
  ...both('broken', {
    name: 'half of the JSON',
    promise: (call) =>
      // Half of a role's name is a valid name, but there is no such role.
      call.operation.endsWith('security-credentials/') ? ['CREDENTIALS_MISSING'] : unreachable(call),
  }),
  {
    name: 'wrong content type',
    arrange: staying('mistyped'),
    // Where the answer should be JSON or a text, the body counts. STS answers in XML, which HTML could be, too.
    promise: ends('ok', {
      session: 'NETWORK_UNREACHABLE',
      'web identity': 'NETWORK_UNREACHABLE',
      oidc: 'ok',
    }),
  },
  { name: 'wrong JSON', arrange: staying('foreign'), promise: foreign },
  ...[20, -20].map((minutes) => ({
    name: `clock ${String(Math.abs(minutes))} minutes ${minutes > 0 ? 'slow' : 'fast'}`,
    ahead: minutes * MINUTES,
    arrange: () => ({}),
    promise: passes,
  })),
  {
    name: 'expired, once',
    arrange: ({ operation, kind }, { faults }) => {
      // An expired metadata token is answered with 401.
      const fault = kind.startsWith('metadata')
        ? { error: { code: 'Unauthorized', message: '', status: 401 } }
        : expired;
      faults.order({ operation, fault, times: 1 });
      return {};
    },
    // GitHub's service issues tokens and gets none; credentials of the environment cannot be renewed.
    promise: ({ kind, operation }) =>
      kind === 'oidc' ||
      kind === 'github' ||
      kind === 'metadata token' ||
      operation === 'sts:GetCallerIdentity'
        ? undefined
        : 'ok',
  },
  {
    name: 'expired',
    arrange: ({ operation, kind }, { aws, faults }) => {
      if (kind === 'metadata') expireInstance(aws);
      else if (kind === 'oidc') {
        const seconds = Math.floor(Date.now() / 1000);
        return { env: aws.actionsEnvironment({ claims: { exp: seconds - 60, iat: seconds - 360 } }) };
      } else faults.order({ operation, fault: kind === 'github' ? revoked : expired });
      return {};
    },
    promise: ({ kind }) => {
      if (kind === 'metadata token') return undefined;
      if (kind === 'github') return ['CREDENTIAL_INVALID'];
      return [kind === 'oidc' || kind === 'web identity' ? 'ASSUME_ROLE_DENIED' : 'CREDENTIALS_EXPIRED'];
    },
    says: /clock|new credentials|refuses the token/,
  },
];
