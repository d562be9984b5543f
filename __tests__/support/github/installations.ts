/** GitHub's data: Apps with their public keys, their installations, and their tokens. */
import { createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';

export interface App {
  readonly appId: number;
  readonly clientId: string;
  readonly publicKey: KeyObject;
  /** In the form that GitHub offers for download: PKCS#1. */
  readonly privateKey: string;
  /** The JSON for a parameter. */
  stored(more?: Readonly<Record<string, unknown>>): string;
}

export interface InstallationInput {
  readonly owner: string;
  readonly kind?: 'orgs' | 'users';
  /** Names without the owner. */
  readonly repositories: readonly string[];
  /** Default: write for contents, and read for metadata, which every App has. */
  readonly permissions?: Readonly<Record<string, string>>;
}

export interface Installation extends Required<InstallationInput> {
  readonly id: number;
  readonly app: App;
}

export interface IssuedToken {
  readonly token: string;
  readonly installation: Installation;
  readonly repositories: readonly string[];
  readonly permissions: Readonly<Record<string, string>>;
  readonly expiresAt: Date;
  revoked: boolean;
}

const usual = { contents: 'write', metadata: 'read' };
const levels = ['read', 'write', 'admin'];

export class Installations {
  readonly #apps: App[] = [];
  readonly #installations: Installation[] = [];
  readonly tokens: IssuedToken[] = [];

  /** @param apiUrl of the App's GitHub, for its stored JSON */
  createApp(apiUrl: string): App {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    const appId = 12_345 + this.#apps.length;
    const app: App = {
      appId,
      clientId: `Iv23li${randomBytes(7).toString('hex')}`,
      publicKey: createPublicKey(privateKey),
      privateKey: pem,
      stored: (more = {}) => JSON.stringify({ app_id: appId, private_key: pem, api_url: apiUrl, ...more }),
    };
    this.#apps.push(app);
    return app;
  }

  install(app: App, input: InstallationInput): Installation {
    const id = 50_000_001 + this.#installations.length;
    const installation = { kind: 'orgs', permissions: usual, ...input, app, id } as const;
    this.#installations.push(installation);
    return installation;
  }

  appOf(issuer: unknown): App | undefined {
    return this.#apps.find(({ appId, clientId }) => [String(appId), clientId].includes(String(issuer)));
  }

  of(app: App): readonly Installation[] {
    return this.#installations.filter((installation) => installation.app === app);
  }

  issue(
    installation: Installation,
    wanted: Pick<IssuedToken, 'repositories' | 'permissions' | 'expiresAt'>,
  ): IssuedToken {
    const issued = {
      token: `ghs_${randomBytes(27).toString('base64url').slice(0, 36)}`,
      installation,
      ...wanted,
    };
    const token = { ...issued, revoked: false };
    this.tokens.push(token);
    return token;
  }

  live(token: string, now: Date): IssuedToken | undefined {
    return this.tokens.find((issued) => issued.token === token && !issued.revoked && issued.expiresAt > now);
  }

  /** Whether GitHub would give git access with it. */
  opens(token: string, repository: string, { level, now }: { level: 'read' | 'write'; now: Date }): boolean {
    const issued = this.live(token, now);
    if (!issued) return false;
    const { installation, repositories, permissions } = issued;
    const mine = repositories.some((name) => sameName(`${installation.owner}/${name}`, repository));
    return mine && covers(permissions['contents'], level);
  }
}

export function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Whether the granted level includes the wanted one. */
export function covers(granted: string | undefined, wanted: string): boolean {
  return granted !== undefined && levels.indexOf(granted) >= levels.indexOf(wanted);
}
