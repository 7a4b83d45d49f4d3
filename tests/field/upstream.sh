# The real RocketVPS: its own functions make the sites and back them up. RV_UPSTREAM is a checkout of it.
# shellcheck shell=bash source=tests/field/steps.sh

install_packages
while read -r number type domain; do
  check "$domain: RocketVPS makes the site" kit adopt "$domain" "$number" "$type" </dev/null || continue
  restores "$domain" rocketvps </dev/null
done <<'SITES'
1 static plain.example
2 php desk.example
4 wordpress blog.example
SITES
