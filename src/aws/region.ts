/** The region of this machine, for keys that name none. */
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS } from '@smithy/core/config';
import { InstanceMetadata, isSwitchedOff, type MetadataOptions } from './instance-metadata.ts';

/** Of the profile in the AWS configuration files, that of AWS_PROFILE or the default one, as the AWS CLI has it. */
export async function profileRegion(): Promise<string | undefined> {
  const region = loadConfig(
    { environmentVariableSelector: () => undefined, configFileSelector: ({ region }) => region, default: '' },
    NODE_REGION_CONFIG_FILE_OPTIONS,
  );
  return (await region()) || undefined;
}

/**
 * From instance metadata, or undefined where there is none.
 *
 * @throws NETWORK_UNREACHABLE, PROVIDER_FAILED, THROTTLED
 */
export async function instanceRegion(options: MetadataOptions): Promise<string | undefined> {
  return isSwitchedOff(options.env) ? undefined : await new InstanceMetadata(options).region();
}
