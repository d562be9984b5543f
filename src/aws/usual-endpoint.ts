/** The endpoint of a service that the AWS SDK will most likely call. For a guess that costs nothing if it is wrong. Pure. */
import { dnsSuffix } from '../keys/partition.ts';

const variables = {
  sts: 'AWS_ENDPOINT_URL_STS',
  ssm: 'AWS_ENDPOINT_URL_SSM',
  secretsmanager: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
} as const;

/** With one of these, the endpoint has another name, or is reached through a proxy. */
const changing = [
  ...[
    'AWS_USE_FIPS_ENDPOINT',
    'AWS_USE_DUALSTACK_ENDPOINT',
    'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
    'AWS_PROFILE',
  ],
  ...['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'],
];

/**
 * @param region in which the service is called
 * @returns undefined if a setting makes the guess unlikely, or if the endpoint is not encrypted
 */
export function usualEndpoint(
  service: keyof typeof variables,
  region: string,
  env: Readonly<Record<string, string | undefined>>,
): URL | undefined {
  if (changing.some((name) => env[name])) return undefined;
  const set = env[variables[service]] || env['AWS_ENDPOINT_URL'];
  const text = set || `https://${service}.${region}.${dnsSuffix(region)}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'https:' ? url : undefined;
}
