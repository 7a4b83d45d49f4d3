<!doctype html>
<html>
<head><title><?php bloginfo('name'); ?></title></head>
<body>
<h1><?php bloginfo('name'); ?></h1>
<?php while (have_posts()) : the_post(); ?>
<article><h2><?php the_title(); ?></h2><?php the_excerpt(); ?></article>
<?php endwhile; ?>
<p><?php echo (int) wp_count_posts()->publish; ?> posts</p>
</body>
</html>
