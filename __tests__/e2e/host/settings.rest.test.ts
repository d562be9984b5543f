import '../../support/suite/rest.ts';
import './settings.test.ts';
