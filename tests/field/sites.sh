# Each kind of site and form of backup: backed up as RocketVPS does, damaged, restored, rolled back.
# shellcheck shell=bash source=tests/field/steps.sh

install_packages
while IFS=$'\t' read -r domain _ _ _ _ forms; do
  check "$domain: the site is made" make_site "$domain" </dev/null || continue
  for form in $forms; do
    restores "$domain" "$form" </dev/null
    check "$domain, $form backup: repaired for the next" kit repair "$domain" </dev/null || break
  done
done < <(site_rows)
check 'blog.example: it is backed up for a drill' kit backup blog.example smart
check 'blog.example: the drill proves it' contains "$(rv drill blog.example)" ' works '
