# The short form of all of it on one machine: what a new user does, and one power cut in the middle.
# shellcheck shell=bash source=tests/field/steps.sh

remove_packages() {
  m env DEBIAN_FRONTEND=noninteractive apt-get -qq --yes purge "${PACKAGES[@]}"
}

check 'first: apt installs the packages' msh 'DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends install /root/debs/*.deb'
for domain in desk.example plain.example; do
  check "first: $domain is made" make_site "$domain"
  restores "$domain" smart
done
opens_to_panels desk.example && panel_restores desk.example
# What a site of no known kind does with its database is not led to the staged tables.
drills 'desk.example=an account of its own' plain.example=works
cuts committing
check 'first: the packages go' remove_packages
check 'first: snapshots stay' m sh -c 'ls -d /opt/rocketvps/snapshots/desk.example/pre_restore_*'
check 'first: the site goes on' sees desk.example 'as it was saved'
