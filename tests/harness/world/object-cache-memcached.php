<?php
// The same in Memcached, with the settings and the form of keys of the drop-ins that most sites have ($memcached_servers,
// WP_CACHE_KEY_SALT; SALT TABLES:GROUP:KEY, and without a mark before a group that a network shares). The functions are those of
// object-cache.php.
class WP_Object_Cache
{
    private $memcached;
    private $here = [];
    private $only_here = ['counts', 'plugins', 'themes', 'theme_json'];
    private $shared = [];

    public function __construct()
    {
        global $memcached_servers;
        $this->memcached = new Memcached();
        foreach ($memcached_servers['default'] as $server) {
            $this->memcached->addServer(preg_replace('/:0$/', '', $server), 0);
        }
    }

    private function key($key, $group)
    {
        global $table_prefix;
        $group = $group ?: 'default';
        $prefix = $table_prefix . (in_array($group, $this->shared, true) ? '' : ':');
        return preg_replace('/\s+/', '', WP_CACHE_KEY_SALT . "$prefix$group:$key");
    }

    public function shared($groups)
    {
        $this->shared = array_merge($this->shared, (array) $groups);
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
            $this->memcached->set($this->key($key, $group), $value, $time);
        }
        return true;
    }

    public function get($key, $group, $again, &$found)
    {
        $name = $this->key($key, $group);
        if (!array_key_exists($name, $this->here) || $again) {
            $value = in_array($group ?: 'default', $this->only_here, true) ? false : $this->memcached->get($name);
            if ($value === false) {
                $found = false;
                return false;
            }
            $this->here[$name] = $value;
        }
        $found = true;
        $value = $this->here[$name];
        return is_object($value) ? clone $value : $value;
    }

    public function delete($key, $group)
    {
        unset($this->here[$this->key($key, $group)]);
        return $this->memcached->delete($this->key($key, $group));
    }

    public function forget()
    {
        $this->here = [];
        return true;
    }
}

