/**
 * The default credential chain, shared by all clients of a process. It has the order of the AWS SDK's chain; the credentials
 * of containers and instances come from our own requests.
 */
import {
  CredentialsProviderError,
  getProfileName,
  parseKnownFiles,
  ProviderError,
} from '@smithy/core/config';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@smithy/types';
import { within } from '../deadline.ts';
import { containerCredentials, isContainer } from './container-credentials.ts';
import { readAwsError } from './failures.ts';
import { refreshing } from './refreshing-credentials.ts';
import type { Renewable } from './renewing.ts';
import type { RequestHandler } from './request-handler.ts';
import { InstanceMetadata, isSwitchedOff, type MetadataOptions } from './instance-metadata.ts';

/** What a client passes to a provider that calls STS. */
type Properties = Parameters<AwsCredentialIdentityProvider>[0];
type Link = (properties: Properties) => Promise<AwsCredentialIdentity>;

/** Tries of a provider of the SDK that may hang. */
const tries = 2;

/** A tool may write new credentials into the files while this process runs: the SDK would keep what it has read once. */
const anew = { ignoreCache: true };

export function machineCredentials(options: MetadataOptions): AwsCredentialIdentityProvider & Renewable {
  return refreshing(undefined, chainOf(options), { clock: Date.now });
}

/** @source @aws-sdk/credential-provider-node, `defaultProvider` */
function chainOf(options: MetadataOptions): Link {
  const { env } = options;
  const links = [
    ...(env['AWS_PROFILE'] ? [] : [fromEnvironment]),
    fromProfile(options),
    fromProcess,
    fromTokenFile,
    fromMachine(options),
  ];
  return async (properties) => {
    for (const link of links) {
      try {
        return await link(properties);
      } catch (error) {
        if ((error as { tryNextLink?: boolean } | undefined)?.tryNextLink !== true) throw error;
      }
    }
    throw new CredentialsProviderError('Could not load credentials from any providers', {
      tryNextLink: false,
    });
  };
}

const fromEnvironment: Link = async () => {
  const { fromEnv } = await import('@aws-sdk/credential-provider-env');
  return await fromEnv()();
};

/**
 * Names of profiles that the SDK can read in the configuration file.
 *
 * @source @smithy/core, `parseIni`
 */
const readable = /^[\w@+.%:/-]+$/;

/** Static keys, roles, web identities, processes or SSO, as the profile says. */
function fromProfile({ patience, env }: MetadataOptions): Link {
  return async (properties) => {
    const profiles = await parseKnownFiles(anew);
    const name = getProfileName({});
    if (env['AWS_PROFILE'] && !Object.hasOwn(profiles, name)) throw missing(name);
    const { fromIni } = await import('@aws-sdk/credential-provider-ini');
    // Providers that call IAM Identity Center would use a handler of their own, which does not check endpoints.
    const { requestHandler } = (properties?.callerClientConfig ?? {}) as { requestHandler?: RequestHandler };
    const own = requestHandler && { clientConfig: { requestHandler } };
    const ask = async (): Promise<AwsCredentialIdentity> => await fromIni({ ...anew, ...own })(properties);
    const asksMachine = Object.values(profiles).some((profile) => profile['credential_source'] !== undefined);
    const what = `the profile ${name}`;
    try {
      return await (asksMachine ? insistently(ask, { milliseconds: 3 * patience, what }) : ask());
    } catch (error) {
      const isNamed =
        env['AWS_PROFILE'] && Object.keys(profiles[name] ?? {}).some((key) => sources.test(key));
      const isFinal = error instanceof ProviderError && (isNamed || !error.tryNextLink);
      throw isFinal ? final(error, what) : error;
    }
  };
}

function missing(name: string): Error {
  const limit = readable.test(name) ? '' : ': the AWS SDK reads only names of letters, digits and +@.%:/_-';
  return new CredentialsProviderError(`there is no profile ${name} with a setting in it${limit}`, {
    tryNextLink: false,
  });
}

/** Settings of a profile that say where its credentials come from. One with a Region alone names none. */
const sources = /^(?:aws_access_key_id|role_arn|credential_|source_profile|web_identity_|sso_|login_)/;

/** Whoever names a profile does not want the credentials of somebody else. */
function final({ message, tryNextLink }: ProviderError, what: string): Error {
  // The command may have a secret in it. What follows is its standard error.
  const said = message.replace(/Command failed: .*\n?/, 'its credential_process failed: ').trim();
  return new CredentialsProviderError(tryNextLink ? `${what}: ${said}` : said, { tryNextLink: false });
}

const fromProcess: Link = async () => {
  const { fromProcess } = await import('@aws-sdk/credential-provider-process');
  return await fromProcess(anew)();
};

const fromTokenFile: Link = async (properties) => {
  const { fromTokenFile } = await import('@aws-sdk/credential-provider-web-identity');
  return await fromTokenFile()(properties);
};

/** The credentials of the machine: those of the container, else those of the instance. */
function fromMachine(options: MetadataOptions): Link {
  const { env } = options;
  const metadata = new InstanceMetadata(options);
  return async () => {
    if (isContainer(env)) return await containerCredentials(options);
    if (isSwitchedOff(env)) {
      throw new CredentialsProviderError('the instance metadata are switched off', { tryNextLink: true });
    }
    return await metadata.credentials();
  };
}

interface Asked {
  readonly milliseconds: number;
  readonly what: string;
}

/**
 * The SDK's own requests to containers and instances limit only the time to the headers, or hang if an answer is cut. If
 * they get a web page, their error looks like an answer of the service that is called.
 */
async function insistently(
  ask: () => Promise<AwsCredentialIdentity>,
  asked: Asked,
  left = tries,
): Promise<AwsCredentialIdentity> {
  const { milliseconds, what } = asked;
  const broken = (why: string): Error =>
    new CredentialsProviderError(`${what}: ${why}`, { tryNextLink: false });
  try {
    const answer = await within(milliseconds, ask());
    if (answer) return answer;
    if (left <= 1) throw broken(`no whole answer within ${milliseconds / 1000} seconds`);
  } catch (error) {
    if (error instanceof CredentialsProviderError && !error.tryNextLink) throw error;
    if (!(error instanceof SyntaxError || error instanceof TypeError || error instanceof ProviderError))
      throw error;
    if (left <= 1) throw broken(readAwsError(error).message);
  }
  return await insistently(ask, asked, left - 1);
}
