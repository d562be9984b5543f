import '../../support/suite/rest.ts';
import './stored-keys.test.ts';
