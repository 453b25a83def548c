/** All readers of files that are known by their names. */
import { distributionReaders } from "./distribution-readers.ts";
import { bundleReportReaders } from "./languages/bundle-reports.ts";
import { javaReaders } from "./languages/java.ts";
import { npmReaders } from "./languages/npm.ts";
import { phpAndDotnetReaders } from "./languages/php-and-dotnet.ts";
import { pythonReaders } from "./languages/python.ts";
import { rubyReaders } from "./languages/ruby.ts";
import { sourceMapReaders } from "./languages/source-maps.ts";
import { tomlLockReaders } from "./languages/toml-locks.ts";
import { ReaderTable } from "./package-reader.ts";
import { rpmReaders } from "./rpm/rpm-databases.ts";

export const readerTable = new ReaderTable([
  ...distributionReaders,
  ...rpmReaders,
  ...npmReaders,
  ...sourceMapReaders,
  ...bundleReportReaders,
  ...pythonReaders,
  ...tomlLockReaders,
  ...javaReaders,
  ...rubyReaders,
  ...phpAndDotnetReaders,
]);
