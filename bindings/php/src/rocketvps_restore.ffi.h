#define FFI_SCOPE "rocketvps_restore"
#define FFI_LIB "librocketvps_restore.so.1"
char *rv_list_domains(const char *request_json);
char *rv_list_backups(const char *request_json);
char *rv_preview_backup(const char *request_json);
char *rv_diff_backup(const char *request_json);
char *rv_validate(const char *request_json);
char *rv_rehearse(const char *request_json);
char *rv_create_snapshot(const char *request_json);
char *rv_list_snapshots(const char *request_json);
char *rv_delete_snapshot(const char *request_json);
char *rv_restore_start(const char *request_json);
char *rv_restore_poll(const char *request_json);
char *rv_restore_cancel(const char *request_json);
char *rv_rollback(const char *request_json);
char *rv_verify(const char *request_json);
char *rv_cleanup(const char *request_json);
char *rv_list_jobs(const char *request_json);
char *rv_list_logs(const char *request_json);
char *rv_read_log(const char *request_json);
char *rv_list_drills(const char *request_json);
char *rv_recover(const char *request_json);
uint32_t rv_abi_version(void);
const char *rv_version(void);
void rv_string_free(char *answer);
