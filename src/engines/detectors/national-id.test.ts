import { describe, expect, it } from "vitest";
import type { DetectorName } from "./port.ts";
import { scan } from "./scan.ts";

const wanted: ReadonlySet<DetectorName> = new Set(["national-id"] as const);
const found = (text: string): string[] =>
  scan(text, wanted).map((finding) => `${finding.kind}: ${text.slice(finding.start, finding.end)}`);

describe("identifiers that are found", () => {
  it.each([
    ["us-ssn", "", "123-45-6789"],
    ["us-ssn", "SSN ", "123 45 6789"],
    ["us-ssn", "social security number: ", "123456789"],
    ["de-steuer-id", "", "86 095 742 719"],
    ["de-steuer-id", "Steuer-ID: ", "86095742719"],
    ["uk-nino", "", "AB 12 34 56 C"],
    ["uk-nino", "", "AB123456C"],
    ["uk-nhs-number", "NHS no ", "943 476 5919"],
    ["fr-nir", "", "2 55 08 14 168 025 38"],
    ["fr-nir", "", "255081416802538"],
    ["es-dni", "", "12345678Z"],
    ["es-dni", "", "12.345.678-Z"],
    ["es-nie", "", "X1234567L"],
    ["es-nie", "", "X-1234567-L"],
    ["it-codice-fiscale", "", "RSSMRA85T10A562S"],
    ["it-codice-fiscale", "", "mrtmtt91d08f205j"],
    ["nl-bsn", "BSN ", "111222333"],
    ["pl-pesel", "PESEL ", "44051401359"],
    ["se-personnummer", "", "811218-9876"],
    ["se-personnummer", "personnummer ", "198112189876"],
    ["ch-ahv", "", "756.9217.0769.85"],
    ["ch-ahv", "", "7569217076985"],
    ["br-cpf", "", "529.982.247-25"],
    ["br-cpf", "CPF ", "52998224725"],
    ["in-aadhaar", "", "2341 2341 2346"],
    ["in-aadhaar", "aadhaar ", "234123412346"],
  ])("%s: %s%s", (kind, word, id) => {
    expect(found(`my ${word}${id}, thanks`)).toEqual([`${kind}: ${id}`]);
  });
});

describe("what is no identifier", () => {
  it.each([
    ["SSN area 000", "000-45-6789"],
    ["SSN area 666", "666-45-6789"],
    ["SSN area 9xx", "912-45-6789"],
    ["SSN group 00", "123-00-6789"],
    ["SSN serial 0000", "123-45-0000"],
    ["nine bare digits", "order 123456789"],
    ["Steuer-ID check digit", "86 095 742 718"],
    ["bare Steuer-ID without its word", "order 86095742719"],
    ["NINO prefix", "GB123456C"],
    ["NHS check digit", "NHS no 943 476 5918"],
    ["NHS without its word", "943 476 5919"],
    ["NIR key", "2 55 08 14 168 025 39"],
    ["DNI letter", "12345678A"],
    ["NIE letter", "X1234567A"],
    ["codice fiscale check letter", "RSSMRA85T10A562T"],
    ["BSN eleven test", "BSN 111222334"],
    ["BSN without its word", "111222333"],
    ["PESEL check digit", "PESEL 44051401358"],
    ["personnummer check digit", "811218-9875"],
    ["personnummer month", "811318-9874"],
    ["AHV check digit", "756.9217.0769.84"],
    ["CPF check digits", "529.982.247-24"],
    ["CPF of one digit", "111.111.111-11"],
    ["Aadhaar check digit", "2341 2341 2347"],
    ["Aadhaar in a longer row", "2341 2341 2346 2341"],
    ["inside a part number", "A-123-45-6789-B"],
  ])("%s: %s", (_, text) => {
    expect(found(text)).toEqual([]);
  });
});
