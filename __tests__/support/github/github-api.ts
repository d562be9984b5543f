/**
 * A local GitHub API on 127.0.0.1 for Apps and deploy keys. It verifies signatures of Apps, and grants the permissions
 * of their installations and of tokens.
 */
import { CallLog, type Call } from '../aws/wire/calls.ts';
import { Faults } from '../aws/wire/faults.ts';
import { serve } from '../aws/wire/http-server.ts';
import { attend } from '../aws/wire/service.ts';
import { HostedKeys, type KeyHostOptions } from '../git-host/hosted-keys.ts';
import { GitHubApiService } from './api-service.ts';
import { PersonalTokens, type Access } from './deploy-keys.ts';
import {
  Installations,
  type App,
  type Installation,
  type InstallationInput,
  type IssuedToken,
} from './installations.ts';

export type { App, Installation, IssuedToken } from './installations.ts';

export interface GitHubApiOptions {
  /** PEM, for HTTPS. Default: HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** GitHub's clock. Default: the real one. */
  readonly clock?: () => Date;
  /** The ssh server whose deploy keys it manages. */
  readonly deployKeys?: KeyHostOptions;
}

export interface GitHubApi {
  /** The value of `api_url`. */
  readonly url: string;
  readonly createApp: () => App;
  /** Creates a personal access token. */
  readonly createToken: (access: Access) => string;
  /** The deploy keys; the option `deployKeys` has to be set. */
  readonly keys: HostedKeys;
  readonly install: (app: App, input: InstallationInput) => Installation;
  /** Every created token, in order. */
  readonly tokens: readonly IssuedToken[];
  /** Whether the token gives git access: the question of a git server. */
  readonly opens: (token: string, repository: string, level: 'read' | 'write') => boolean;
  /** `POST /app/installations/…/access_tokens` and the like. */
  readonly calls: readonly Call[];
  readonly forgetCalls: () => void;
  readonly faults: Faults;
  readonly stop: () => Promise<void>;
}

const prefix = '/api/v3';

export async function startGitHubApi(options: GitHubApiOptions = {}): Promise<GitHubApi> {
  const { tls, clock = () => new Date() } = options;
  const installations = new Installations();
  const tokens = new PersonalTokens();
  const keys = options.deployKeys && new HostedKeys(options.deployKeys);
  const service = new GitHubApiService(installations, { clock, prefix, tokens, keys });
  const observation = { calls: new CallLog(), faults: new Faults(), clock };
  const server = await serve({ handle: (request) => attend(service, request, observation), tls });
  const url = server.origin + prefix;
  return {
    url,
    createApp: () => installations.createApp(url),
    createToken: tokens.create.bind(tokens),
    get keys() {
      if (!keys) throw new Error('this GitHub was started without deploy keys');
      return keys;
    },
    install: installations.install.bind(installations),
    tokens: installations.tokens,
    opens: (token, repository, level) => installations.opens(token, repository, { level, now: clock() }),
    get calls() {
      return observation.calls.calls;
    },
    forgetCalls: () => {
      observation.calls.clear();
    },
    faults: observation.faults,
    stop: server.close,
  };
}
