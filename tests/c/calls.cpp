// The C ABI as a C++ program sees it: the header is included as it is, an answer is owned by a pointer. Speaks TAP. calls CONFIG DOMAIN
#include <rocketvps_restore.h>

#include <memory>
#include <string>

#include "tap.h"

namespace {

struct Free {
    void operator()(char *answer) const { rv_string_free(answer); }
};

std::string call(char *(*function)(const char *), const std::string &request)
{
    const std::unique_ptr<char, Free> answer(function(request.c_str()));
    return answer.get();
}

bool contains(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

std::string number(rv_error error)
{
    return "\"number\":" + std::to_string(error) + ",";
}

// The text value of a key.
std::string text_of(const std::string &document, const std::string &key)
{
    const std::string before = "\"" + key + "\":\"";
    const std::string::size_type start = document.find(before);
    if (start == std::string::npos) {
        return "";
    }
    const std::string::size_type from = start + before.size();
    return document.substr(from, document.find('"', from) - from);
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 3) {
        return 2;
    }
    const std::string config = "{\"config\":\"" + std::string(argv[1]) + "\"";
    const std::string domain = ",\"domain\":\"" + std::string(argv[2]) + "\"";

    check(rv_abi_version() == RV_ABI_VERSION, "C++: the library has the version of the header", rv_version());
    std::string answer = call(rv_list_backups, config + domain + "}");
    check(contains(answer, "\"ok\":true") && contains(answer, "backup_"), "C++: a list of backups", answer.c_str());
    answer = call(rv_restore_poll, config + ",\"job\":\"20200101_000000_0123456789ab\"}");
    check(contains(answer, number(RV_ERROR_JOB_NOT_FOUND)), "C++: an error by the name of its number", answer.c_str());
    answer = call(rv_rollback, config + ",\"snapshot\":\"/nowhere\"}");
    check(contains(answer, number(RV_ERROR_BAD_REQUEST)), "C++: a snapshot alone does not say whose it is", answer.c_str());

    // A job alone says by itself whose site it changed.
    answer = call(rv_restore_start, config + domain + ",\"wait\":true}");
    const std::string job = text_of(answer, "job");
    check(contains(answer, "\"ok\":true") && !job.empty(), "C++: a restore", answer.c_str());
    answer = call(rv_rollback, config + ",\"domain\":\"other.example\",\"job\":\"" + job + "\"}");
    check(contains(answer, number(RV_ERROR_BAD_REQUEST)) && contains(answer, "other.example"),
          "C++: a job of another domain is refused", answer.c_str());
    answer = call(rv_rollback, config + ",\"job\":\"" + job + "\",\"wait\":true}");
    check(contains(answer, "\"ok\":true"), "C++: a rollback by the job alone", answer.c_str());
    return plan();
}
