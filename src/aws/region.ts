/** The region of this machine, for keys that name none. */
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS } from '@smithy/core/config';
import { MetadataService } from '@aws-sdk/ec2-metadata-service';
import { metadataPatience } from './metadata-patience.ts';

/** Of the profile in the AWS configuration files, that of AWS_PROFILE or the default one, as the AWS CLI has it. */
export async function profileRegion(): Promise<string | undefined> {
  const region = loadConfig(
    { environmentVariableSelector: () => undefined, configFileSelector: ({ region }) => region, default: '' },
    NODE_REGION_CONFIG_FILE_OPTIONS,
  );
  return (await region()) || undefined;
}

/** From instance metadata (version 2), or undefined where there is none. */
export async function instanceRegion(): Promise<string | undefined> {
  const httpOptions = { timeout: metadataPatience() };
  const metadata = new MetadataService({ httpOptions, retries: 0, ec2MetadataV1Disabled: true });
  try {
    // The service puts the slash of its endpoint in front.
    const region = await metadata.request('latest/meta-data/placement/region', {});
    return /^[a-z]+(-[a-z]+)+-\d+$/.test(region) ? region : undefined;
  } catch {
    return undefined;
  }
}
