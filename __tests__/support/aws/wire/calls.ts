/** The log of calls, in order of arrival. It never has a token, a credential or a parameter's value. */

export type ServiceName =
  | 'ssm'
  | 'ssmmessages'
  | 'secretsmanager'
  | 'kms'
  | 'sts'
  | 'ec2'
  | 'ec2-instance-connect'
  | 'oidc'
  | 'imds'
  | 'github'
  | 'gitlab';

export interface Call {
  readonly service: ServiceName;
  /** `ssm:GetParameters`, `sts:AssumeRole`, `oidc:token`, `imds:GET /latest/meta-data/…` */
  readonly operation: string;
  /** From the signature's scope, otherwise from AWS's host name; undefined if there is neither. */
  readonly region: string | undefined;
  /** The request's parameters with AWS's names. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The caller, after the signature was verified. */
  readonly account?: string;
  readonly principal?: string;
  readonly roleArn?: string;
  readonly sessionName?: string;
  /** Undefined during the call, and if there was no answer. */
  readonly status?: number;
  readonly errorCode?: string;
  /** Milliseconds since 1970, by the real clock. */
  readonly startedAt: number;
  readonly finishedAt?: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
export type OpenCall = Writable<Call>;

const SECRETS = new Set([
  'Value',
  'SecretString',
  'SecretBinary',
  'WebIdentityToken',
  'TokenCode',
  'TokenValue',
  'EncryptedKeyMaterial',
  'ImportToken',
]);

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
