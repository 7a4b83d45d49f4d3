# The power fails while a restore stages, commits and checks; the machine boots again, and the recovery unit works.
# shellcheck shell=bash source=tests/field/steps.sh

install_packages
check 'power cut: a site is made' make_site desk.example
check 'power cut: a large site' kit grow desk.example
for moment in staging committing checking; do
  cuts "$moment"
done
