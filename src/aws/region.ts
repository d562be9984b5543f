/** The Region of this machine, for keys without a Region. */
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS } from '@smithy/core/config';
import { InstanceMetadata, isSwitchedOff, type MetadataOptions } from './instance-metadata.ts';

/** The Region of the profile (AWS_PROFILE or the default one) in the AWS configuration files, as the AWS CLI reads it. */
export async function profileRegion(): Promise<string | undefined> {
  const region = loadConfig(
    { environmentVariableSelector: () => undefined, configFileSelector: ({ region }) => region, default: '' },
    NODE_REGION_CONFIG_FILE_OPTIONS,
  );
  return (await region()) || undefined;
}

/**
 * The Region from the instance metadata, or undefined if there is none.
 *
 * @throws NETWORK_UNREACHABLE, PROVIDER_FAILED, THROTTLED
 */
export async function instanceRegion(options: MetadataOptions): Promise<string | undefined> {
  return isSwitchedOff(options.env) ? undefined : await new InstanceMetadata(options).region();
}
