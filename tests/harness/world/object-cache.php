<?php
// An object cache in Redis for the tests, with the constants and the form of keys of the drop-in that most sites have
// (WP_REDIS_SCHEME, _HOST, _PORT, _PATH, _DATABASE, _PASSWORD, _PREFIX; PREFIX wp:GROUP:KEY).
class WP_Object_Cache
{
    private $redis;
    private $here = [];
    private $only_here = ['counts', 'plugins', 'themes', 'theme_json'];

    public function __construct()
    {
        $of = fn ($name, $usual) => defined("WP_REDIS_$name") ? constant("WP_REDIS_$name") : $usual;
        $this->redis = new Redis();
        if ($of('SCHEME', 'tcp') === 'unix') {
            $this->redis->connect($of('PATH', ''));
        } else {
            $this->redis->connect($of('HOST', '127.0.0.1'), $of('PORT', 6379));
        }
        if (defined('WP_REDIS_PASSWORD')) {
            $this->redis->auth(WP_REDIS_PASSWORD);
        }
        $this->redis->select($of('DATABASE', 0));
    }

    private function key($key, $group)
    {
        return (defined('WP_REDIS_PREFIX') ? trim(WP_REDIS_PREFIX) : '') . 'wp:' . ($group ?: 'default') . ":$key";
    }

    public function shared($groups)
    {
    }

    public function only_here($groups)
    {
        $this->only_here = array_merge($this->only_here, (array) $groups);
    }

    public function set($key, $value, $group, $time = 0)
    {
        $value = is_object($value) ? clone $value : $value;
        $this->here[$this->key($key, $group)] = $value;
        if (!in_array($group ?: 'default', $this->only_here, true)) {
            $this->redis->set($this->key($key, $group), serialize($value), $time > 0 ? ['ex' => $time] : []);
        }
        return true;
    }

    public function get($key, $group, $again, &$found)
    {
        $name = $this->key($key, $group);
        if (!array_key_exists($name, $this->here) || $again) {
            $value = in_array($group ?: 'default', $this->only_here, true) ? false : $this->redis->get($name);
            if ($value === false) {
                $found = false;
                return false;
            }
            $this->here[$name] = unserialize($value);
        }
        $found = true;
        $value = $this->here[$name];
        return is_object($value) ? clone $value : $value;
    }

    public function delete($key, $group)
    {
        unset($this->here[$this->key($key, $group)]);
        return (bool) $this->redis->del($this->key($key, $group));
    }

    public function forget()
    {
        $this->here = [];
        return true;
    }
}

function wp_cache_init() { $GLOBALS['wp_object_cache'] = new WP_Object_Cache(); }
function wp_cache_get($key, $group = '', $force = false, &$found = null) { return $GLOBALS['wp_object_cache']->get($key, $group, $force, $found); }
function wp_cache_set($key, $data, $group = '', $expire = 0) { return $GLOBALS['wp_object_cache']->set($key, $data, $group, (int) $expire); }
function wp_cache_add($key, $data, $group = '', $expire = 0)
{
    if (wp_suspend_cache_addition()) {
        return false;
    }
    wp_cache_get($key, $group, false, $found);
    return $found ? false : wp_cache_set($key, $data, $group, $expire);
}
function wp_cache_replace($key, $data, $group = '', $expire = 0)
{
    wp_cache_get($key, $group, false, $found);
    return $found ? wp_cache_set($key, $data, $group, $expire) : false;
}
function wp_cache_delete($key, $group = '') { return $GLOBALS['wp_object_cache']->delete($key, $group); }
function wp_cache_incr($key, $offset = 1, $group = '')
{
    $value = wp_cache_get($key, $group, false, $found);
    return $found && wp_cache_set($key, max(0, (int) $value + $offset), $group) ? max(0, (int) $value + $offset) : false;
}
function wp_cache_decr($key, $offset = 1, $group = '') { return wp_cache_incr($key, -$offset, $group); }
function wp_cache_add_multiple(array $data, $group = '', $expire = 0) { return array_map(fn ($key) => wp_cache_add($key, $data[$key], $group, $expire), array_combine(array_keys($data), array_keys($data))); }
function wp_cache_set_multiple(array $data, $group = '', $expire = 0) { return array_map(fn ($key) => wp_cache_set($key, $data[$key], $group, $expire), array_combine(array_keys($data), array_keys($data))); }
function wp_cache_get_multiple($keys, $group = '', $force = false) { return array_combine($keys, array_map(fn ($key) => wp_cache_get($key, $group, $force), $keys)); }
function wp_cache_delete_multiple(array $keys, $group = '') { return array_combine($keys, array_map(fn ($key) => wp_cache_delete($key, $group), $keys)); }
function wp_cache_flush() { return $GLOBALS['wp_object_cache']->forget(); }
function wp_cache_flush_runtime() { return $GLOBALS['wp_object_cache']->forget(); }
function wp_cache_supports($feature) { return in_array($feature, ['add_multiple', 'set_multiple', 'get_multiple', 'delete_multiple', 'flush_runtime'], true); }
function wp_cache_close() { return true; }
function wp_cache_add_global_groups($groups) { $GLOBALS['wp_object_cache']->shared($groups); }
function wp_cache_add_non_persistent_groups($groups) { $GLOBALS['wp_object_cache']->only_here($groups); }
function wp_cache_switch_to_blog($blog) {}
