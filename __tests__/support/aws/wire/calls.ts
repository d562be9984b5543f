/** The log of what was asked, in the order of arrival. Never a token, a credential or a parameter's value. */

export type ServiceName =
  | 'ssm'
  | 'ssmmessages'
  | 'secretsmanager'
  | 'sts'
  | 'ec2'
  | 'ec2-instance-connect'
  | 'oidc'
  | 'imds'
  | 'github';

export interface Call {
  readonly service: ServiceName;
  /** `ssm:GetParameters`, `sts:AssumeRole`, `oidc:token`, `imds:GET /latest/meta-data/…` */
  readonly operation: string;
  /** From the signature's scope, else from AWS's own host name; undefined where neither says it. */
  readonly region: string | undefined;
  /** The request's parameters by AWS's names. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Who asked, once the signature was verified. */
  readonly account?: string;
  readonly principal?: string;
  readonly roleArn?: string;
  readonly sessionName?: string;
  /** Undefined while the call lasts, and for ever where nothing was answered. */
  readonly status?: number;
  readonly errorCode?: string;
  /** Milliseconds since 1970, by the real clock. */
  readonly startedAt: number;
  readonly finishedAt?: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
export type OpenCall = Writable<Call>;

const SECRETS = new Set(['Value', 'WebIdentityToken', 'TokenCode', 'TokenValue']);

export class CallLog {
  readonly #calls: OpenCall[] = [];

  get calls(): readonly Call[] {
    return this.#calls;
  }

  begin({ service, operation, region, parameters }: Omit<Call, 'startedAt'>): OpenCall {
    const shown = Object.entries(parameters).map(([name, value]) => [
      name,
      SECRETS.has(name) ? '(removed)' : value,
    ]);
    const call: OpenCall = {
      service,
      operation,
      region,
      parameters: Object.fromEntries(shown) as Call['parameters'],
      startedAt: Date.now(),
    };
    this.#calls.push(call);
    return call;
  }

  clear(): void {
    this.#calls.length = 0;
  }
}
