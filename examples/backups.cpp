// Lists the backups of a domain, as root or through the broker: backups DOMAIN [CONFIG]
// CONFIG is the JSON value of a request's `config`.
// c++ -o backups backups.cpp $(pkg-config --cflags --libs rocketvps-restore)
#include <rocketvps_restore.h>

#include <iostream>
#include <memory>
#include <string>

namespace {

// An answer of the library, freed with it.
using Answer = std::unique_ptr<char, void (*)(char *)>;

Answer list_backups(const std::string &domain, const std::string &config)
{
    const std::string request = "{\"config\":" + config + ",\"domain\":\"" + domain + "\"}";
    return Answer(rv_list_backups(request.c_str()), rv_string_free);
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 2) {
        std::cerr << "backups DOMAIN [CONFIG]\n";
        return 2;
    }
    const Answer answer = list_backups(argv[1], argc > 2 ? argv[2] : "null");
    std::cout << answer.get() << '\n';
    return std::string(answer.get()).find("\"ok\":true") == std::string::npos ? 1 : 0;
}
